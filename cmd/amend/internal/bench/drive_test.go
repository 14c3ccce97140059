package bench

import (
	"context"
	"testing"

	"amend/cmd/amend/internal/workload"
	"amend/engine"
	"amend/engine/enginetest"
)

func tinyLengths() workload.Lengths {
	return workload.Lengths{
		Rows: 6, Preamble: 40, Prompt: 7, Response: 9, Rounds: 2, Principles: 3,
		CritiqueRequest: 5, Critique: 6, RevisionRequest: 8, Revision: 9, Option: 8, Principle: 5,
	}
}

// TestComputedIsDistinct: in either layout, with as many sequences as rows or
// fewer, an engine prefills each distinct token of every workload once. The
// literal tokens come from a large vocabulary, so that no two rows share a few
// by chance, which would not be worth a copy.
func TestComputedIsDistinct(t *testing.T) {
	specs, _, err := workload.Specs()
	if err != nil {
		t.Fatal(err)
	}
	for name, spec := range specs {
		for _, order := range spec.Orders {
			for _, unified := range []bool{false, true} {
				for _, alive := range []int{1, 4, 6} {
					w, err := workload.New(name, order, tinyLengths(), 20000, 3)
					if err != nil {
						t.Fatal(err)
					}
					m := enginetest.New(engine.Limits{Sequences: alive + 1, Context: 200, Cells: 200 * (alive + 1), Unified: unified, Batch: 48})
					e, err := engine.New(m, m, engine.Config{Verify: true})
					if err != nil {
						t.Fatal(err)
					}
					s, _, err := drive(context.Background(), e, w, alive, true)
					if err != nil {
						t.Fatal(err)
					}
					want := w.Count()
					if name == "feedback" {
						want.Decoded = 0 // judgements are scored
					}
					if s.Prefilled != want.Distinct || s.Decoded != want.Decoded {
						t.Errorf("%s, %s, unified %v, %d alive: computed %d of %d distinct, decoded %d of %d", name, order, unified, alive, s.Prefilled, want.Distinct, s.Decoded, want.Decoded)
					}
				}
			}
		}
	}
}

// TestVariantsDoMore: without forks each row computes the preamble again, and
// without reuse every prompt is computed whole.
func TestVariantsDoMore(t *testing.T) {
	for _, c := range []struct {
		config engine.Config
		want   func(workload.Counts, workload.Lengths) int
	}{
		{engine.Config{NoReuse: true}, func(c workload.Counts, _ workload.Lengths) int { return c.PromptTokens }},
		{engine.Config{NoFork: true}, func(c workload.Counts, l workload.Lengths) int { return c.Distinct + (l.Rows-1)*l.Preamble }},
	} {
		w, err := workload.New("loop", "append", tinyLengths(), 20000, 3)
		if err != nil {
			t.Fatal(err)
		}
		m := enginetest.New(engine.Limits{Sequences: 7, Context: 200, Cells: 1400, Batch: 48})
		e, err := engine.New(m, m, c.config)
		if err != nil {
			t.Fatal(err)
		}
		s, _, err := drive(context.Background(), e, w, 6, false)
		if err != nil {
			t.Fatal(err)
		}
		if want := c.want(w.Count(), w.Lengths); s.Prefilled != want {
			t.Errorf("%+v: computed %d, want %d", c.config, s.Prefilled, want)
		}
	}
}
