package bench

import (
	"testing"

	"amend/engine"
	"amend/engine/enginetest"
)

// TestSpeculationSaysTheScript: with guesses and without, in streams with more
// rows than one, the scripted revision comes whole at every share copied. (Run
// fails when one does not.) The costs are measured, so how many guesses are
// tried is not for a test to say.
func TestSpeculationSaysTheScript(t *testing.T) {
	m := enginetest.New(engine.Limits{Sequences: 4, Context: 160, Cells: 640, Batch: 64})
	s := Speculation{
		Open:  func(Setting, int, int) (Opened, error) { return closable{m}, nil },
		Vocab: m, Size: enginetest.VocabSize, Preamble: 40, Draft: 30, Request: 6, Seed: 2,
	}
	table, err := s.Run(t.Context(), Amend, 3, []float64{0, 0.8, 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(table) != 3 || table[0].Without <= 0 || table[2].With <= 0 || table[2].Accepted > table[2].Drafted {
		t.Errorf("%+v", table)
	}
}
