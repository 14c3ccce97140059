package bench

import (
	"context"
	"testing"

	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/workload"
	"amend/engine"
	"amend/engine/enginetest"
)

// TestFloorsAreBesideRuns: each run of amend is compared with the floors right
// before and after it, with the one setting that was lowest.
func TestFloorsAreBesideRuns(t *testing.T) {
	w, err := workload.New("loop", "append", workload.Lengths{
		Rows: 2, Preamble: 12, Prompt: 4, Response: 4, Rounds: 1, CritiqueRequest: 4, Critique: 4, RevisionRequest: 4, Revision: 4,
	}, enginetest.VocabSize, 1)
	if err != nil {
		t.Fatal(err)
	}
	var opened []runner.ContextPlan
	b := fixed{
		workload: w, alive: 2, say: func(string, ...any) {},
		open: func(s runner.ContextPlan, sequences, tokens int) (closer, error) {
			opened = append(opened, s)
			m := enginetest.New(engine.Limits{Sequences: sequences, Context: tokens, Cells: sequences * tokens, Batch: 16, Outputs: 16})
			return closable{m}, nil
		},
	}
	f, err := b.newFloors(context.Background(), runner.ContextPlan{}.WithFlashAttention(false), runner.ContextPlan{}.WithFlashAttention(true))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.again(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	if len(opened) != 3 || opened[2] != f.setting || len(f.measured) != 2 || f.measured[1].seconds <= 0 {
		t.Errorf("opened %v, keeps to %v, measured %v", opened, f.setting, f.measured)
	}
	// With times that are known: floors of 8, 10 and 6 s around runs of 10 and 16 s.
	f.measured = []floor{{seconds: 8}}
	f.parts = nil
	for _, turn := range []struct{ wall, floor float64 }{{10, 10}, {16, 6}} {
		f.add(floor{seconds: turn.floor}, turn.wall)
	}
	var r Report
	f.report(&r)
	if r.FloorS != 8 || r.OfFloor != 0.5 || r.FloorWith != settingName(f.setting) {
		t.Errorf("floor %v s with %s, of floor %v; want 8 s and the lower of 0.9 and 0.5", r.FloorS, r.FloorWith, r.OfFloor)
	}
}
