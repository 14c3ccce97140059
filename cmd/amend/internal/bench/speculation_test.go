package bench

import (
	"testing"
	"testing/synctest"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/enginetest"
)

// TestSpeculationSaysTheScript: with guesses and without, in streams with more
// rows than one, the scripted revision comes whole at every share copied. (Run
// fails when one does not.) The costs are measured, so how many guesses are
// tried is not for a test to say.
func TestSpeculationSaysTheScript(t *testing.T) { synctest.Test(t, testSpeculationSaysTheScript) }

func testSpeculationSaysTheScript(t *testing.T) {
	m := enginetest.New(engine.Limits{Sequences: 4, Context: 160, Cells: 640, Batch: 64})
	s := speculation{
		open:  func(runner.ContextPlan, int, int) (closer, error) { return closable{m}, nil },
		vocab: m, vocabulary: enginetest.VocabSize, preamble: 40, draft: 30, request: 6, seed: 2,
	}
	table, err := s.run(t.Context(), Amend, 3, []float64{0, 0.8, 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(table) != 3 || table[0].Without <= 0 || table[2].With <= 0 || table[2].Accepted > table[2].Drafted {
		t.Errorf("%+v", table)
	}
}
