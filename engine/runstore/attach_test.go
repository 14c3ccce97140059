package runstore_test

import (
	"math"
	"testing"

	"amend/engine/runstore"
)

// TestWorth: the shortest preamble that pays is where the line through what was
// saved crosses nothing.
func TestWorth(t *testing.T) {
	for _, c := range []struct {
		name             string
		copied, attached [2]float64
		want             int
	}{
		{"dearer when short", [2]float64{10, 20}, [2]float64{11, 13}, 64 + 56},
		{"never dearer", [2]float64{10, 20}, [2]float64{9, 13}, 1},
		{"always the same gain", [2]float64{10, 20}, [2]float64{9, 19}, 1},
		{"never pays", [2]float64{10, 20}, [2]float64{10, 21}, math.MaxInt},
	} {
		got := runstore.AttachCosts{Rows: 4, Tokens: [2]int{64, 512}, Copied: c.copied, Attached: c.attached}.Worth()
		if got != c.want {
			t.Errorf("%s: from %d tokens on, want %d", c.name, got, c.want)
		}
	}
}
