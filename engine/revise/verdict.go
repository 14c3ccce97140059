package revise

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/digest"
	"amend/engine/feedback"
)

// Draw says which principle a round is under.
type Draw string

// The draws.
const (
	// Random is the paper's: any principle that applies, by weight.
	Random Draw = "random"
	// Targeted asks for a verdict on the draft under each principle that applies, and draws among those that it more likely
	// breaks than not, by how likely. A draft that breaks none ends the row.
	Targeted Draw = "targeted"
	// Fitting asks which principle the draft breaks, and draws by how much likelier than usual the model finds each title as the
	// answer (package fit). It ends no row.
	Fitting Draw = "fitting"
)

// Draws lists them.
func Draws() []Draw { return []Draw{Random, Fitting, Targeted} }

// When says which drafts are revised.
type When string

// The drafts that are revised.
const (
	Always   When = "always"   // all, as in the paper
	Breached When = "breached" // those that a verdict before the critique does not find clean under the drawn principle
	Found    When = "found"    // those that do not decline, and in whose critique something is found, where there is one
)

// Whens lists them, the default first.
func Whens() []When { return []When{Found, Always, Breached} }

// Verdicts says of single responses whether they are clean.
type Verdicts struct {
	// Judge is of layout feedback.ByPrinciple where principles have verdict requests.
	Judge *feedback.Judge
	// Calibration says what its log-odds mean, where it is asked about a response.
	Calibration feedback.Calibration
}

// Reading says of critiques whether they find something.
type Reading struct {
	// Judge reads: feedback.NewReader.
	Judge *feedback.Judge
	// Calibration says what its log-odds mean.
	Calibration feedback.Calibration
}

// Verdict is what a judge said of a draft before its critique, or of its critique.
type Verdict struct {
	Round     int    `json:"round"`
	Try       int    `json:"try,omitempty"`
	Principle string `json:"principle"`
	feedback.Verdict
	// Breach is how likely the draft breaks the principle, where verdicts are calibrated.
	Breach *float64 `json:"breach,omitempty"`
	// OfCritique marks the answer to whether the critique before it found something.
	OfCritique bool `json:"of_critique,omitempty"`
}

// Clean reports whether it finds the draft clean: an invalid verdict does not.
func (v Verdict) Clean() bool {
	if v.Breach != nil {
		return !v.Invalid && isClean(*v.Breach)
	}
	return v.Verdict.Clean()
}

// cleanUnder is how many principles a draft must be found clean under to end its row under a gate.
const cleanUnder = 2

// VerdictOn writes down the question whether a response to a prompt keeps to a principle: alone, or where the principle has no
// verdict request, as the loop's own conversation goes on.
func (l *Loop) VerdictOn(ctx context.Context, j *feedback.Judge, prompt, response string, p constitution.Principle) (*chat.Conversation, error) {
	asked := chat.Message{Role: chat.User, Text: prompt}
	if p.VerdictRequest != "" {
		return j.Single(ctx, []chat.Message{asked}, response, p)
	}
	c, err := l.format.Open(ctx, append(slices.Clone(l.shots), asked))
	if err != nil {
		return nil, err
	}
	draft, err := c.Reply(ctx, response)
	if err != nil {
		return nil, err
	}
	return c.Next(ctx, draft, verdictRequest(p))
}

func verdictRequest(p constitution.Principle) chat.Message {
	return chat.Message{Text: feedback.VerdictRequest(p.Text)}
}

// canJudge reports whether a verdict can be asked for under a principle: where some have verdict requests, the others are not
// for single responses.
func (l *Loop) canJudge(p constitution.Principle) bool {
	return l.settings.Verdicts == nil || !l.alone || p.VerdictRequest != ""
}

// isAsked reports whether a verdict is asked for before a critique under the drawn principle.
func (r *row) isAsked() bool {
	s := r.loop.settings
	return (s.Gate != nil || s.Revise == Breached) && r.loop.canJudge(r.principle)
}

// askVerdict asks whether the draft breaks a principle, unless that has been said, and goes on with next.
func (r *row) askVerdict(p constitution.Principle, next func() bool) bool {
	if _, said := r.breaches[p.ID]; said {
		return next()
	}
	question := feedback.InAWord
	var asked *chat.Conversation
	var err error
	if r.loop.settings.Verdicts != nil && p.VerdictRequest != "" {
		question = feedback.Kept
		asked, err = r.loop.settings.Verdicts.Judge.Single(r.loop.context(), r.in.Messages, r.draftText, p)
	} else {
		asked, err = r.base.Next(r.loop.context(), r.draft, verdictRequest(p))
	}
	if err != nil {
		return r.fail(err)
	}
	judge := r.loop.inspecting
	if judge == nil {
		judge = r.loop.judging
	}
	return r.submitVerdict(judge, asked, question, p, func(v feedback.Verdict) bool {
		r.onVerdict(p, v)
		return next()
	})
}

// VerdictOnCritique writes down the question whether the critique of a response finds something, as the loop asks it.
func (l *Loop) VerdictOnCritique(ctx context.Context, prompt, response, request, critique string) (*chat.Conversation, error) {
	c, err := l.format.Open(ctx, append(slices.Clone(l.shots), chat.Message{Role: chat.User, Text: prompt}))
	if err != nil {
		return nil, err
	}
	for _, turn := range [][2]string{{response, request}, {critique, feedback.FoundRequest}} {
		said, err := c.Reply(ctx, turn[0])
		if err != nil {
			return nil, err
		}
		if c, err = c.Next(ctx, said, chat.Message{Text: turn[1]}); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// askCritique asks whether the critique found something, and ends the round where it did not.
func (r *row) askCritique(critique []engine.Token) bool {
	asked, err := r.asked.Next(r.loop.context(), critique, chat.Message{Text: feedback.FoundRequest})
	if err != nil {
		return r.fail(err)
	}
	criticized, p := r.asked, r.principle
	return r.submitVerdict(r.loop.reading, asked, feedback.NothingFound, p, func(v feedback.Verdict) bool {
		breach := r.loop.settings.Reading.Calibration.Breach(p.ID, v)
		r.keepVerdict(Verdict{Principle: p.ID, Verdict: v, Breach: &breach, OfCritique: true})
		if v.Invalid || !isClean(breach) {
			return r.ask(Revision, criticized, critique, p.RevisionRequest)
		}
		r.record.Turns[len(r.record.Turns)-1].Gate = &Decision{Refused: FoundNothing}
		return r.nextRound()
	})
}

// submitVerdict asks for a verdict under a principle, and goes on with next.
func (r *row) submitVerdict(judge *feedback.Session, asked *chat.Conversation, q feedback.Question, p constitution.Principle, next func(feedback.Verdict) bool) bool {
	return r.awaitJudge(func(resume func(func() bool)) bool {
		return judge.Verdict(asked, q, func(v feedback.Verdict, err error) {
			resume(func() bool {
				if err != nil {
					return r.fail(fmt.Errorf("asking for a verdict under principle %s: %w", p.ID, err))
				}
				return next(v)
			})
		})
	})
}

// keepVerdict keeps what was said in this try.
func (r *row) keepVerdict(v Verdict) {
	v.Round, v.Try = r.round, r.try
	r.record.Gated.Verdicts = append(r.record.Gated.Verdicts, v)
}

// onVerdict keeps a verdict on the draft.
func (r *row) onVerdict(p constitution.Principle, v feedback.Verdict) {
	said, breach := Verdict{Principle: p.ID, Verdict: v}, 1-v.P
	if s := r.loop.settings.Verdicts; s != nil {
		breach = s.Calibration.Breach(p.ID, v)
		said.Breach = &breach
	}
	r.keepVerdict(said)
	if v.Invalid {
		breach = max(breach, 0.5) // it does not say that the draft is clean
	}
	if r.breaches == nil {
		r.breaches = map[string]float64{}
	}
	r.breaches[p.ID] = breach
}

// isBreached reports whether the draft was found to break a principle.
func (r *row) isBreached() bool {
	for _, breach := range r.breaches {
		if !isClean(breach) {
			return true
		}
	}
	return false
}

// isClean reports whether a draft that breaks a principle with this probability is clean under it.
func isClean(breach float64) bool { return breach < 0.5 }

// decide continues after a verdict on the draft under the drawn principle.
func (r *row) decide() bool {
	if !isClean(r.breaches[r.principle.ID]) {
		return r.criticize()
	}
	if r.loop.settings.Gate == nil {
		if !r.isBreached() {
			r.record.Gated.Clean = r.round
		}
		return r.nextRound()
	}
	breached := r.isBreached()
	if !breached && len(r.breaches) >= cleanUnder {
		r.record.Gated.Clean = r.round
		return r.complete()
	}
	if _, more := r.untried(); more || breached {
		return r.propose()
	}
	return r.criticize() // the only principle that there is
}

// aim asks for a verdict under every principle of the pool, and draws one that the draft more likely breaks than not.
func (r *row) aim() bool {
	pool := slices.DeleteFunc(r.pool(), func(p constitution.Principle) bool { return !r.loop.canJudge(p) })
	for _, p := range pool {
		if _, said := r.breaches[p.ID]; !said {
			return r.askVerdict(p, r.aim)
		}
	}
	if !r.isBreached() {
		r.record.Gated.Clean = r.round
		return r.complete()
	}
	p, ok := r.target(pool)
	if !ok {
		r.record.Gated.Stayed = append(r.record.Gated.Stayed, r.round)
		return r.nextRound()
	}
	r.principle, r.tryTurns = p, 0
	r.tried = append(r.tried, p.ID)
	return r.criticize()
}

// target draws one of the principles that are broken and were not tried in this round; ok is false where all were.
func (r *row) target(pool []constitution.Principle) (p constitution.Principle, ok bool) {
	total := 0.0
	pool = slices.DeleteFunc(slices.Clone(pool), func(p constitution.Principle) bool {
		return isClean(r.breaches[p.ID]) || slices.Contains(r.tried, p.ID)
	})
	for _, p := range pool {
		total += r.breaches[p.ID]
	}
	seed := digest.SeedAt(r.record.Seed, digest.TargetLabel, r.round)
	point := rand.New(rand.NewPCG(seed, uint64(len(r.tried)))).Float64() * total
	for _, p := range pool {
		if point -= r.breaches[p.ID]; point < 0 {
			return p, true
		}
	}
	if len(pool) == 0 {
		return p, false
	}
	return pool[len(pool)-1], true // rounding carried the point past the end
}

// needInspected is about the most tokens that a verdict on the row's responses can come to hold, where they take up to most
// tokens each.
func (l *Loop) needInspected(ctx context.Context, in Row, most int) (int, error) {
	longest := 0
	for _, p := range l.doc.Principles {
		if p.VerdictRequest == "" {
			continue // asked in the loop's own conversation
		}
		c, err := l.settings.Verdicts.Judge.Single(ctx, in.Messages, "", p)
		if err != nil {
			return 0, err
		}
		longest = max(longest, len(c.Tokens))
	}
	if longest == 0 {
		return 0, nil
	}
	const again = 8 // one token in so many more where a text is tokenized again
	return longest + most + most/again + again + feedback.VerdictTokens, nil
}
