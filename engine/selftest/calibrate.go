package selftest

import "amend/engine/feedback"

// told is a known case with the verdicts on its two responses.
type told struct {
	principle     string
	keeps, breaks feedback.Verdict
}

// isValid reports whether both verdicts are.
func (t told) isValid() bool { return !t.keeps.Invalid && !t.breaks.Invalid }

// shrink is how many known cases the mean of all principles counts for in the base of one.
const shrink = 2

// calibrate finds the base of each principle and how much being below it says: by the linear discriminant of two groups of
// one spread (Fisher 1936), those that keep to their principle and those that break it. Where responses that break a
// principle are not below those that keep to it, the slope is 0: verdicts say nothing.
func calibrate(known []told) feedback.Calibration {
	c := feedback.Calibration{Base: map[string]float64{}}
	sums, counts, n := map[string]float64{}, map[string]float64{}, 0.0
	for _, t := range known {
		if t.isValid() {
			sums[t.principle] += t.keeps.LogOdds()
			counts[t.principle]++
			c.Rest += t.keeps.LogOdds()
			n++
		}
	}
	if n == 0 {
		return c
	}
	c.Rest /= n
	for principle, sum := range sums {
		c.Base[principle] = (sum + shrink*c.Rest) / (counts[principle] + shrink)
	}
	keep, breach := group{}, group{}
	for _, t := range known {
		if t.isValid() {
			keep.add(c.Below(t.principle, t.keeps))
			breach.add(c.Below(t.principle, t.breaks))
		}
	}
	if spread := (keep.squares() + breach.squares()) / max(1, keep.n+breach.n-2); spread > 0 {
		c.Slope = max(0, (breach.mean()-keep.mean())/spread)
	}
	c.Offset = -c.Slope * (breach.mean() + keep.mean()) / 2
	return c
}

// group are some numbers.
type group struct{ n, sum, square float64 }

func (g *group) add(x float64) { g.n, g.sum, g.square = g.n+1, g.sum+x, g.square+x*x }

func (g *group) mean() float64 { return g.sum / max(1, g.n) }

// squares is the sum of squared distances from the mean.
func (g *group) squares() float64 { return g.square - g.sum*g.mean() }
