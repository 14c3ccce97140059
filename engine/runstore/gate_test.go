package runstore

import (
	"testing"

	"amend/engine/feedback"
	"amend/engine/revise"
)

// TestGateSummary: verdicts on drafts and on critiques are counted apart, and a critique that found nothing is a try.
func TestGateSummary(t *testing.T) {
	low, high := 0.1, 0.9
	said := func(ofCritique bool, breach *float64, try int) revise.Verdict {
		return revise.Verdict{Round: 1, Try: try, OfCritique: ofCritique, Breach: breach, Verdict: feedback.Verdict{Cost: feedback.Cost{Prompt: 10}}}
	}
	s := newGateSummary()
	s.add(revise.Record{
		Gated: &revise.Gated{Verdicts: []revise.Verdict{said(false, &low, 0), said(false, &high, 0), said(true, &low, 0), said(true, &high, 1)}},
		Turns: []revise.Turn{
			{Kind: revise.Response},
			{Kind: revise.Critique, Round: 1, Gate: &revise.Decision{Refused: revise.FoundNothing}},
			{Kind: revise.Critique, Round: 1, Try: 1}, {Kind: revise.Revision, Round: 1, Try: 1},
		},
	})
	if f := s.First; f.Number != 1 || f.Taken != 0 || f.Refused[revise.FoundNothing] != 1 || f.Verdicts != 2 || f.Clean != 1 || f.Readings != 1 || f.Asking.Prompt != 30 {
		t.Errorf("first tries: %+v", f)
	}
	if r := s.Retries; r.Number != 1 || r.Taken != 1 || r.Verdicts != 0 || r.Clean != 0 || r.Readings != 1 {
		t.Errorf("further tries: %+v", r)
	}
}
