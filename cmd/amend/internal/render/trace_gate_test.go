package render

import (
	"testing"

	"amend/engine/feedback"
	"amend/engine/revise"
)

// TestVerdictLine: a verdict on a draft is told from one on a critique, and from none.
func TestVerdictLine(t *testing.T) {
	low, high := 0.25, 0.75
	for _, c := range []struct {
		v    revise.Verdict
		want string
	}{
		{revise.Verdict{Principle: "kind", Verdict: feedback.Verdict{P: 0.75}}, "[clean under kind; clean 0.750]"},
		{revise.Verdict{Principle: "kind", Breach: &high}, "[breach under kind; breach 0.750]"},
		{revise.Verdict{Principle: "kind", Breach: &high, OfCritique: true}, "[the model reads that this finds something; something with probability 0.750]"},
		{revise.Verdict{Principle: "kind", Breach: &low, OfCritique: true}, "[the model reads that this finds nothing; something with probability 0.250]"},
	} {
		if got := verdictLine(c.v); got != c.want {
			t.Errorf("%+v: %s, want %s", c.v, got, c.want)
		}
	}
}
