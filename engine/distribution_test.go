package engine_test

import (
	"context"
	"math"
	"testing"

	"amend/engine"
	"amend/engine/enginetest"
	"amend/engine/sample"
)

// TestGuessesKeepTheDistribution: at temperature 1, with drafted tokens of which some
// are right and some wrong, pairs of consecutive tokens come as often as the
// model says. Random streams are fixed, so the test gives the same each time.
func TestGuessesKeepTheDistribution(t *testing.T) {
	m := enginetest.New(engine.Limits{Sequences: 9, Context: 40, Cells: 360, Batch: 64, Outputs: 64})
	m.Repeat = 3
	e, err := engine.New(m, m, engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	e.Speculate([]engine.StepCost{{Sequences: 1, Tokens: 1, Seconds: 1}, {Sequences: 1, Tokens: 8, Seconds: 1.01}})
	prompt := []engine.Token{1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2}
	const turns = 20000
	seen := map[[2]engine.Token]int{}
	next := 0
	var submit func()
	submit = func() { // as a row that ends makes room for the next
		if next == turns {
			return
		}
		next++
		err := e.Submit(&engine.Request{
			Tokens: prompt, MaxTokens: 2, IgnoreEnd: true, Seed: uint64(next), Sampling: sample.Params{Temperature: 1},
			Done: func(r engine.Result) {
				if r.Err != nil || len(r.Tokens) != 2 {
					t.Fatalf("%v, %v", r.Tokens, r.Err)
				}
				seen[[2]engine.Token(r.Tokens)]++
				submit()
			},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for range m.Limits().Sequences {
		submit()
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if s := e.Stats(); s.Accepted < turns/20 || s.Drafted-s.Accepted < turns/20 {
		t.Fatalf("%d of %d guesses were right: too few right or wrong ones", s.Accepted, s.Drafted)
	}
	statistic, cells := pearson(m, prompt, seen, turns)
	// The statistic has mean cells-1 and variance 2(cells-1); five deviations.
	if most := float64(cells-1) + 5*math.Sqrt(2*float64(cells-1)); statistic > most {
		t.Errorf("chi-square of %d kinds of pairs is %.1f, over %.1f", cells, statistic, most)
	}
}

// pearson compares counts of pairs with what the model expects; pairs expected
// fewer than 5 times are taken together.
func pearson(m *enginetest.Model, prompt []engine.Token, seen map[[2]engine.Token]int, n int) (statistic float64, cells int) {
	var rare struct{ expected, got float64 }
	for a := range engine.Token(enginetest.VocabSize) {
		first := m.LogProb(prompt, a)
		for b := range engine.Token(enginetest.VocabSize) {
			expected := float64(n) * math.Exp(first+m.LogProb(append(prompt[:len(prompt):len(prompt)], a), b))
			got := float64(seen[[2]engine.Token{a, b}])
			if expected < 5 {
				rare.expected += expected
				rare.got += got
				continue
			}
			cells++
			statistic += (got - expected) * (got - expected) / expected
		}
	}
	if rare.expected >= 5 {
		cells++
		statistic += (rare.got - rare.expected) * (rare.got - rare.expected) / rare.expected
	}
	return statistic, cells
}
