package bench

import "testing"

// TestMedians: a ratio is of the runs of one turn, whose machine was as fast for
// both, not of medians of different turns.
func TestMedians(t *testing.T) {
	run := func(name string, seconds ...float64) (out []Variant) {
		for _, s := range seconds {
			out = append(out, Variant{Name: name, WallS: s, WallSPerRow: s})
		}
		return out
	}
	r := Report{Variants: medians([][]Variant{run(Amend, 10, 20, 30), run(PrefixCopied, 11, 30, 60)})}
	r.compare()
	if got := r.Ratios[PrefixCopied]; got != 1.5 {
		t.Errorf("ratio %v, want the median 1.5 of 1.1, 1.5 and 2", got)
	}
	if v := r.Variants[1]; v.RatioMin != 1.1 || v.RatioMax != 2 || v.WallS != 30 {
		t.Errorf("least %v, most %v, median time %v", v.RatioMin, v.RatioMax, v.WallS)
	}
	if v := r.Variants[0]; v.RatioMax != 0 || v.MaxS != 30 {
		t.Errorf("amend itself: %+v", v)
	}
}
