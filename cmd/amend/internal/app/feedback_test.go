package app

import "testing"

// TestTurnedAround: even odds prefer neither answer, so nothing is turned around to them or from them.
func TestTurnedAround(t *testing.T) {
	for _, c := range []struct {
		then, now float64
		want      bool
	}{{0.6, 0.4, true}, {0.1, 0.9, true}, {0.6, 0.9, false}, {0.6, 0.5, false}, {0.5, 0.4, false}, {0.5, 0.5, false}} {
		if turnedAround(c.then, c.now) != c.want {
			t.Errorf("from %v to %v: %v", c.then, c.now, !c.want)
		}
	}
}
