package stats

import (
	"math"
	"testing"
)

// TestShare: against values computed by hand (Wilson's interval of 8 of 10, of 0 of 20).
func TestShare(t *testing.T) {
	for _, tt := range []struct {
		count, of int
		low, high float64
	}{{8, 10, 0.4902, 0.9433}, {0, 20, 0, 0.1611}, {0, 0, 0, 1}} {
		s := NewShare(tt.count, tt.of)
		if math.Abs(s.Low-tt.low) > 1e-4 || math.Abs(s.High-tt.high) > 1e-4 {
			t.Errorf("%d of %d: %+v", tt.count, tt.of, s)
		}
	}
}

// TestBootstrap: the interval of a mean is that of the normal approximation, and a paired difference without any is 0.
func TestBootstrap(t *testing.T) {
	values := make([]float64, 400)
	for i := range values {
		values[i] = float64(i % 2) // mean 0.5, standard error 0.025
	}
	mean := func(places []int) (sum float64) {
		for _, i := range places {
			sum += values[i] / float64(len(places))
		}
		return sum
	}
	got := Bootstrap(len(values), 4000, 1, mean)
	if math.Abs(got.Value-0.5) > 1e-9 || math.Abs(got.Low-0.451) > 0.006 || math.Abs(got.High-0.549) > 0.006 {
		t.Errorf("%+v, want 0.5 from 0.451 to 0.549", got)
	}
	if again := Bootstrap(len(values), 4000, 1, mean); again != got {
		t.Errorf("the same seed gives %+v, then %+v", got, again)
	}
	if got := Bootstrap(10, 100, 1, func([]int) float64 { return 0 }); got != (Interval{}) {
		t.Errorf("no difference: %+v", got)
	}
}

// TestClusters: values that repeat within their group say no more than one of them, and the interval is as wide as that of the
// groups.
func TestClusters(t *testing.T) {
	var single, repeated Clusters
	for i := range 400 {
		group, value := string(rune('a'+i%26))+string(rune('a'+i/26)), float64(i%2)
		single.Add(group, value)
		for range 10 {
			repeated.Add(group, value)
		}
	}
	a, b := single.Share(), repeated.Share()
	if a.Share != 0.5 || b.Share != 0.5 || b.Of != 4000 || math.Abs(a.Low-0.451) > 0.006 || math.Abs(b.Low-a.Low) > 1e-9 {
		t.Errorf("alone %+v, repeated %+v", a, b)
	}
	var sure, none Clusters
	for i := range 20 {
		sure.Add(string(rune('a'+i)), 1)
	}
	if s := sure.Share(); s.High != 1 || math.Abs(s.Low-(1-0.1611)) > 1e-4 {
		t.Errorf("20 of 20: %+v, want Wilson's interval", s)
	}
	var one Clusters
	for range 8 {
		one.Add("a", 1)
		sure.Add("a", 1)
	}
	if s, again := one.Share(), sure.Share(); s.Of != 8 || s.Low != NewShare(1, 1).Low || again.Low != NewShare(20, 20).Low {
		t.Errorf("all of one group: %+v, and many more of one of 20: %+v", s, again)
	}
	if s := none.Share(); s != NewShare(0, 0) {
		t.Errorf("nothing: %+v", s)
	}
}
