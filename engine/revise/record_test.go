package revise

import (
	"testing"

	"amend/engine/feedback"
)

// TestClean: an answer is clean where a round was not begun for it, unless a later verdict finds a breach.
func TestClean(t *testing.T) {
	verdict := func(round int, clean float64) Verdict {
		return Verdict{Round: round, Verdict: feedback.Verdict{P: clean}}
	}
	for name, c := range map[string]struct {
		gated *Gated
		want  bool
	}{
		"nothing asked":             {nil, false},
		"no verdict":                {&Gated{}, false},
		"found clean":               {&Gated{Clean: 1, Verdicts: []Verdict{verdict(1, 0.9)}}, true},
		"clean, then in breach":     {&Gated{Clean: 1, Verdicts: []Verdict{verdict(1, 0.9), verdict(2, 0.1)}, Stayed: []int{2}}, false},
		"a revision that was clean": {&Gated{Clean: 2, Verdicts: []Verdict{verdict(1, 0.1), verdict(2, 0.9)}}, true},
		"in breach":                 {&Gated{Verdicts: []Verdict{verdict(1, 0.1)}, Stayed: []int{1}}, false},
	} {
		if got := (&Record{Gated: c.gated}).Clean(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
