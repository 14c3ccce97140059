package selftest

import (
	"math"
	"math/rand/v2"
	"testing"

	"amend/engine/feedback"
)

// saying is a verdict of these log-odds.
func saying(logOdds float64) feedback.Verdict {
	return feedback.Verdict{LogProbs: [2]float64{logOdds, 0}}
}

// TestCalibrated: a judge that finds everything clean, one principle more than the other, passes by what it says less of; one
// that says nothing, or the opposite, does not.
func TestCalibrated(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	base := map[string]float64{"kind": 3, "frank": 6}
	cases := func(n int, fall float64) (known []told) {
		for i := range n {
			principle := []string{"kind", "frank"}[i%2]
			known = append(known, told{
				principle, saying(base[principle] + random.NormFloat64()/2), saying(base[principle] - fall + random.NormFloat64()/2),
			})
		}
		return known
	}
	for _, c := range []struct {
		fall       float64
		calibrated bool
		passes     bool
	}{{2, true, true}, {2, false, false}, {0, true, false}, {-2, true, false}} {
		r := VerdictResult{Score: Score{Of: 40}}
		r.judge(cases(40, c.fall), c.calibrated)
		r.settle()
		if got := r.Verdict == Passed; got != c.passes {
			t.Errorf("breaches %v lower, calibrated %v: %+v", c.fall, c.calibrated, r)
		}
	}
	by := calibrate(cases(40, 2))
	for principle, clean := range base {
		if p := by.Breach(principle, saying(clean)); p > 0.1 {
			t.Errorf("%s: a clean response is a breach with probability %.2f", principle, p)
		}
		if p := by.Breach(principle, saying(clean-2)); p < 0.9 {
			t.Errorf("%s: a breach is one with probability %.2f", principle, p)
		}
		if p := by.Breach(principle, saying(clean-1)); math.Abs(p-0.5) > 0.25 {
			t.Errorf("%s: what is between is a breach with probability %.2f", principle, p)
		}
	}
	if got, want := by.Below("unknown", saying(0)), by.Rest; got != want || want < 4 || want > 5 {
		t.Errorf("a principle without cases has the base %.2f, the mean is %.2f", got, want)
	}
}

// TestCalibratedByOthers: a case does not judge itself. Where each case is of a principle of its own and all are noise, no
// more than half are right.
func TestCalibratedByOthers(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	right, agreed := 0, 0
	for range 200 {
		var known []told
		for range 16 {
			known = append(known, told{"one", saying(random.NormFloat64()), saying(random.NormFloat64())})
		}
		r := VerdictResult{Score: Score{Of: 16}}
		r.judge(known, true)
		right, agreed = right+r.Right, agreed+r.Agreed
	}
	if share := float64(right) / float64(agreed); agreed > 0 && share > 0.55 {
		t.Errorf("of verdicts that are noise %.2f are right (%d)", share, agreed)
	}
	if r := (VerdictResult{}); r.Calibration == nil {
		r.judge([]told{{"one", feedback.Verdict{Invalid: true}, saying(1)}}, true)
		if r.Calibration.Slope != 0 || r.Agreed != 0 {
			t.Errorf("invalid verdicts calibrate: %+v", r)
		}
	}
}
