package engine_test

import (
	"testing"

	"amend/engine"
	"amend/engine/enginetest"
)

// TestCellsRead: what steps read is counted as the cache is read: a pass reads
// the prefix once for all its rows where they are attached to it, and for each
// of them where they hold it.
func TestCellsRead(t *testing.T) {
	const rows, own, said = 3, 2, 4
	prefix := len(pinPreamble())
	whole, read := 0, 0
	// A pass of all prompts gives the first tokens, and three the others.
	for step := range said {
		whole += rows * (prefix + own + step)
		read += prefix + rows*(own+step)
	}
	for _, c := range []struct {
		name   string
		limits engine.Limits
		read   int
	}{
		{"attached", engine.Limits{Shared: prefix}, read},
		{"unified", engine.Limits{Unified: true}, read},
	} {
		c.limits.Sequences, c.limits.Context, c.limits.Cells, c.limits.Batch = rows+1, 80, 80*(rows+1), 32
		m := enginetest.New(c.limits)
		e, err := engine.New(m, m, engine.Config{Verify: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Pin(t.Context(), pinPreamble()); err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			r := request(i, 0, append(pinPreamble(), engine.Token(6+i), 9))
			r.MaxTokens, r.IgnoreEnd, r.Done = said, true, func(engine.Result) {}
			if err := e.Submit(&r); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if use := e.Usage(); use.Cells != prefix+rows*(own+said-1) {
			t.Errorf("%s: %d cells in use, want the prefix and what rows added, %d", c.name, use.Cells, prefix+rows*(own+said-1))
		}
		got := e.Stats()
		if got.KVRead != c.read || (!c.limits.Unified && got.KVWhole != whole) {
			t.Errorf("%s: %d cells read, %d if each row held the prefix; want %d and %d", c.name, got.KVRead, got.KVWhole, c.read, whole)
		}
	}
}
