package runner

import (
	"testing"

	"pgregory.net/rapid"
)

func TestFitChoosesTheLayout(t *testing.T) {
	const row, preamble = 2000, 1437 // tokens; a byte of KV each
	for _, c := range []struct {
		name     string
		free     uint64
		demand   Requirements
		unified  bool
		parallel int
	}{
		{"room for all in streams", 100_000, Requirements{Layout: Auto}, false, 16},
		{"room for three in streams, for sixteen with a shared preamble", 22_000, Requirements{Layout: Auto}, true, 16},
		{"room for hardly more with a shared preamble", 70_000, Requirements{Layout: Auto}, false, 16},
		{"streams as asked for", 22_000, Requirements{Layout: Streams}, false, 4},
		{"unified as asked for", 100_000, Requirements{Layout: Unified}, true, 16},
		{"memory not known", 0, Requirements{Layout: Auto, Parallel: 9}, false, 9},
	} {
		d := c.demand
		d.Need, d.Preamble, d.Rows, d.Trained, d.BytesPerToken, d.FreeMemory = row, preamble, 100, 8192, 1, c.free
		s, err := Plan(d)
		if err != nil {
			t.Fatal(err)
		}
		if s.Unified != c.unified || s.Parallel() != c.parallel {
			t.Errorf("%s: unified %v with %d rows, want %v with %d", c.name, s.Unified, s.Parallel(), c.unified, c.parallel)
		}
	}
}

// TestFitFits: what Plan chooses by itself takes no more than half the free
// memory, except for a single row, and every row can be as long as it needs.
func TestFitFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Requirements{
			Layout: rapid.SampledFrom([]Layout{Auto, Streams, Unified}).Draw(t, "layout"),
			Need:   rapid.IntRange(1, 5000).Draw(t, "need"), Rows: rapid.IntRange(1, 50).Draw(t, "rows"),
			Trained: 8192, BytesPerToken: rapid.Uint64Range(1, 1000).Draw(t, "bytes"),
			FreeMemory: rapid.Uint64Range(0, 1<<30).Draw(t, "free"),
		}
		d.Preamble = rapid.IntRange(0, d.Need).Draw(t, "preamble")
		s, err := Plan(d)
		if err != nil {
			if one := d.bytes(d.cells(s, 1)); one <= d.FreeMemory {
				t.Fatalf("%v, though one row takes %d of %d bytes", err, one, d.FreeMemory)
			}
			return
		}
		if used := d.bytes(s.Cells); s.Parallel() > 1 && used > d.FreeMemory/2 {
			t.Fatalf("%+v takes %d of %d bytes", s, used, d.FreeMemory)
		}
		if s.Context < d.Need || s.Cells < s.Limit {
			t.Fatalf("%+v for rows of %d tokens", s, d.Need)
		}
	})
}

// TestFitHoldsARowThatSharesNothing: in either layout, with the preamble pinned,
// a row that does not begin with it has room for all its tokens.
func TestFitHoldsARowThatSharesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Requirements{
			Layout: rapid.SampledFrom([]Layout{Streams, Unified}).Draw(t, "layout"), AttachFrom: attachFrom(rapid.Bool().Draw(t, "attach")),
			Need: rapid.IntRange(2, 5000).Draw(t, "need"), Rows: rapid.IntRange(1, 3).Draw(t, "rows"),
			Trained: 8192, BytesPerToken: 1, FreeMemory: 1 << 30,
		}
		d.Preamble = d.Need - rapid.IntRange(1, d.Need).Draw(t, "own")
		d.Unshared = rapid.IntRange(0, d.Need).Draw(t, "alone")
		s, err := Plan(d)
		if err != nil {
			t.Fatal(err)
		}
		room := s.Own
		if s.Unified {
			room = s.Cells - d.Preamble
		}
		if room < d.Unshared || s.Own < s.Limit-s.Shared {
			t.Fatalf("%+v for a row of %d tokens beside a preamble of %d", s, d.Unshared, d.Preamble)
		}
		if p := newPreamble(s); p.part > s.Context || p.parts(s.Shared) > 4 {
			t.Fatalf("%+v: parts of %d tokens", s, p.part)
		}
	})
}

// attachFrom is Requirements.AttachFrom where rows can be attached, or cannot.
func attachFrom(can bool) int {
	if can {
		return WorthAttaching
	}
	return 0
}
