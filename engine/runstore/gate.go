package runstore

import (
	"amend/engine/feedback"
	"amend/engine/revise"
)

// GateSummary counts what was decided of tries, by checks, verdicts and a gate, and what that took.
type GateSummary struct {
	First   Proposals `json:"first"`   // of each round
	Retries Proposals `json:"retries"` // after a refusal in the same round

	Stayed int `json:"draft_stayed"` // rounds in which no revision was taken
	Ended  int `json:"ended_clean"`  // rows that ended before their last round, being clean

	Declined int `json:"ended_declined"` // rows that ended before their last round, since the answer declines
}

// Proposals are tries: revisions, and critiques that none followed.
type Proposals struct {
	Number     int                    `json:"number"`
	Taken      int                    `json:"taken"`
	Refused    map[revise.Refusal]int `json:"refused"`
	Judgements int                    `json:"judgements"`
	Judging    feedback.Cost          `json:"judging"`
	// Making is what the proposals and their critiques took.
	Making feedback.Cost `json:"making"`
	// Verdicts are those before the proposals; Clean ones led to another draw or to the row's end in the place of one.
	Verdicts int `json:"verdicts"`
	Clean    int `json:"clean"`
	// Readings are the questions whether critiques find something. Asking is what verdicts and these took.
	Readings int           `json:"readings"`
	Asking   feedback.Cost `json:"asking"`
}

func newGateSummary() *GateSummary {
	s := &GateSummary{First: Proposals{Refused: map[revise.Refusal]int{}}, Retries: Proposals{Refused: map[revise.Refusal]int{}}}
	for _, r := range revise.Refusals() {
		s.First.Refused[r], s.Retries.Refused[r] = 0, 0
	}
	return s
}

func (s *GateSummary) add(rec revise.Record) {
	for _, v := range rec.Gated.Verdicts {
		p := s.of(v.Try)
		switch {
		case v.OfCritique:
			p.Readings++
		case v.Clean():
			p.Clean++
			fallthrough
		default:
			p.Verdicts++
		}
		p.Asking.Add(v.Cost)
	}
	s.Stayed += len(rec.Gated.Stayed)
	if rec.Gated.Clean > 0 {
		s.Ended++
	}
	if rec.Gated.Declined > 0 {
		s.Declined++
	}
	for _, t := range rec.Turns {
		p := s.of(t.Try)
		if t.Kind != revise.Response {
			p.Making.Add(feedback.Cost{Prompt: t.Prompt, Reused: t.Reused, Decoded: t.Decoded})
		}
		if t.Kind == revise.Revision || t.Gate != nil {
			p.add(t.Gate)
		}
	}
}

// of are the proposals that a try belongs to.
func (s *GateSummary) of(try int) *Proposals {
	if try > 0 {
		return &s.Retries
	}
	return &s.First
}

// add counts a try. Without a decision it was taken.
func (p *Proposals) add(d *revise.Decision) {
	p.Number++
	if d == nil {
		p.Taken++
		return
	}
	if d.Refused == "" {
		p.Taken++
	} else {
		p.Refused[d.Refused]++
	}
	p.Judgements += len(d.Judgements)
	p.Judging.Add(d.Cost)
}
