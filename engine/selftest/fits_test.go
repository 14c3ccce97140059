package selftest

import (
	"context"
	"math/rand/v2"
	"testing"

	"amend/constitution"
	"amend/engine"
	"amend/engine/enginetest"
	"amend/engine/feedback"
	"amend/engine/fit"
)

// fitCases are n cases of which each is about one of k principles.
func fitCases(n, k int) (f Fits) {
	for i := range k {
		f.Principles = append(f.Principles, constitution.Principle{ID: string(rune('a' + i))})
	}
	for i := range n {
		f.Cases = append(f.Cases, VerdictCase{Principle: f.Principles[i%k]})
	}
	return f
}

// TestFits: a model that finds the title of the broken principle likelier than usual passes, however likely titles are
// otherwise; one that always finds the same titles likely, or says the opposite, does not.
func TestFits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	f := fitCases(40, 8)
	for _, c := range []struct {
		lift   float64
		passes bool
	}{{4, true}, {0, false}, {-4, false}} {
		scores := make([][]float64, len(f.Cases))
		for i := range scores {
			for k := range f.Principles {
				s := -5*float64(k) + random.NormFloat64()
				if k == i%8 {
					s += c.lift
				}
				scores[i] = append(scores[i], s)
			}
		}
		r := FitResult{Score: Score{Of: 40}}
		r.judge(f, scores)
		r.settle()
		if got := r.Verdict == Passed; got != c.passes || r.Agreed != 40 {
			t.Errorf("lift %v: %+v", c.lift, r)
		}
		if sharp := r.Calibration.Sharpness; c.passes && sharp < 0.5 || c.lift < 0 && sharp > 0.01 {
			t.Errorf("lift %v: sharpness %v", c.lift, sharp)
		}
	}
}

// TestFitsRun: on an engine each question is scored once, and a model that fails has no sharpness.
func TestFitsRun(t *testing.T) {
	m := enginetest.New(engine.Limits{Sequences: 8, Context: 200, Cells: 1600, Batch: 64})
	e, err := engine.New(m, m, engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	f := fitCases(12, 3)
	questions, err := f.Questions(t.Context(), func(_ context.Context, c VerdictCase) (fit.Question, error) {
		return fit.Question{Tokens: []engine.Token{5, 6, 7}, Titles: [][]engine.Token{{8}, {8, 9}, {10, 11}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Run(t.Context(), e, questions)
	if err != nil || r.Verdict == Passed || r.Calibration.Sharpness != 0 {
		t.Errorf("a model that says the same of everything: %+v, %v", r, err)
	}
	if got := e.Stats().Scored; got != 3*r.Cases || r.Cases == 0 {
		t.Errorf("%d titles scored for %d cases", got, r.Cases)
	}
	for id, base := range r.Calibration.Base {
		if !(base < 0) {
			t.Errorf("%s: base %v", id, base)
		}
	}
}

// TestCritiques: of each pair one critique finds nothing; both are of a response to one prompt, and are asked about as
// critiques.
func TestCritiques(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Critiques() {
		if c.Criticised == nil || c.Keeps == "" || c.Breaks == "" || c.Keeps == c.Breaks || c.Principle.CritiqueRequest == "" || seen[c.Prompt] {
			t.Errorf("%+v", c)
		}
		if seen[c.Prompt] = true; c.question() != feedback.NothingFound {
			t.Errorf("%s: asked as question %d", c.Name, c.question())
		}
	}
	if n := len(seen); AtLeast(n, n) >= looks()[2].pass {
		t.Errorf("%d known critiques are too few for anyone to pass", n)
	}
}
