package runner

import (
	"math"
	"testing"
)

// TestStepSeconds: steps grow with what rows hold and with rows, through what was timed, and not at all where the two
// depths lie too close together.
func TestStepSeconds(t *testing.T) {
	r := Rates{Rows: 16, Depths: [2]int{32, 288}, Step: [2]float64{0.060, 0.076}, Single: 0.016}
	steep := r
	steep.Step[0] = 0.001
	near := r
	near.Depths[1] = 128
	for _, c := range []struct {
		name      string
		rates     Rates
		rows, own float64
		want      float64
	}{
		{"as timed", r, 16, 288, 0.076},
		{"as timed, shallow", r, 16, 32, 0.060},
		{"nothing held", steep, 16, 0, 0.001},
		{"deeper", r, 16, 544, 0.092},
		{"one row", r, 1, 288, 0.016},
		{"half of the rows", r, 8.5, 288, 0.046},
		{"depths too close", near, 16, 1000, 0.076},
	} {
		if got := c.rates.StepSeconds(c.rows, c.own); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v s, want %v", c.name, got, c.want)
		}
	}
	if got := r.Decode(288); math.Abs(got-16/0.076) > 1e-9 {
		t.Errorf("%v tokens a second, want all rows' of a step", got)
	}
}
