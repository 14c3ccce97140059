package selftest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/enginetest"
	"amend/engine/feedback"
)

// TestAtLeast: values computed by hand.
func TestAtLeast(t *testing.T) {
	for _, c := range []struct {
		right, n int
		want     float64
	}{{0, 0, 1}, {0, 5, 1}, {5, 5, 1.0 / 32}, {4, 5, 6.0 / 32}, {7, 7, 1.0 / 128}, {9, 10, 11.0 / 1024}, {15, 20, 21700.0 / 1048576}} {
		if got := AtLeast(c.right, c.n); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%d of %d: %v, want %v", c.right, c.n, got, c.want)
		}
	}
}

// said is a label by a judge whose answers in both orders have these probabilities of the first response.
func said(given, swapped float64) feedback.Label {
	return feedback.Label{Judgements: []feedback.Judgement{{P: given}, {P: swapped, Swapped: true}}}
}

// TestCounting: a case counts where both orders agree.
func TestCounting(t *testing.T) {
	r := Result{Score: Score{Of: 20}}
	second := feedback.Pair{Better: feedback.Second}
	r.add(second, said(0.2, 0.1)) // right
	r.add(second, said(0.9, 0.8)) // wrong
	r.add(second, said(0.9, 0.2)) // says (A) twice
	r.add(second, said(0.1, 0.6)) // says (B) twice
	r.add(second, said(0.5, 0.1)) // has no preference in one order
	r.add(second, feedback.Label{Judgements: []feedback.Judgement{{P: 0.1, Invalid: true}, {P: 0.1, Swapped: true}}})
	if r.Cases != 6 || r.Agreed != 2 || r.Right != 1 || r.Invalid != 1 || r.PrefersA != 6 {
		t.Errorf("%+v", r)
	}
}

// TestVerdicts: a judge passes early with no mistake, late with few, fails early where it guesses, and never passes by few
// cases.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		r    Score
		want Verdict
		done bool
	}{
		{Score{Of: 40, Cases: 14, Agreed: 11, Right: 11}, Passed, true},
		{Score{Of: 40, Cases: 14, Agreed: 11, Right: 10}, Failed, false}, // p = 0.006: more cases are asked
		{Score{Of: 40, Cases: 27, Agreed: 15, Right: 14}, Passed, true},
		{Score{Of: 40, Cases: 40, Agreed: 12, Right: 11}, Passed, true},
		{Score{Of: 40, Cases: 40, Agreed: 10, Right: 9}, Failed, true}, // p = 0.011
		{Score{Of: 40, Cases: 14, Agreed: 7, Right: 3}, Failed, true},
		{Score{Of: 40, Cases: 27, Agreed: 10, Right: 6}, Failed, true},
		{Score{Of: 40, Cases: 27, Agreed: 10, Right: 7}, Failed, false},
		{Score{Of: 40, Cases: 14}, Failed, true},
		{Score{Of: 7, Cases: 3, Agreed: 3, Right: 3}, TooFew, false},
		{Score{Of: 7, Cases: 7, Agreed: 7, Right: 7}, TooFew, true},
		{Score{Of: 8, Cases: 8, Agreed: 8, Right: 8}, Passed, true},
	} {
		was := c.r
		if done := c.r.settle(); c.r.Verdict != c.want || done != c.done {
			t.Errorf("%+v: %s, done %v; want %s, %v", was, c.r.Verdict, done, c.want, c.done)
		}
	}
}

// TestGuessing: whoever guesses passes in less than 1 % of all tests, by all looks together.
func TestGuessing(t *testing.T) {
	for _, n := range []int{8, 16, 20, 28, 40, 60} {
		if p := passing(Score{Of: n}, 0, 1); p >= 0.01 {
			t.Errorf("%d cases: passes with probability %v", n, p)
		}
	}
}

// passing is the probability that one who guesses passes from a look on, where all answers agree.
func passing(r Score, look int, probability float64) float64 {
	next := parts(r.Of)[look]
	asked, passed := next-r.Cases, 0.0
	for right := range asked + 1 {
		after := Score{Of: r.Of, Cases: next, Agreed: next, Right: r.Right + right}
		p := probability * choose(asked, right)
		switch done := after.settle(); {
		case after.Verdict == Passed:
			passed += p
		case !done:
			passed += passing(after, look+1, p)
		}
	}
	return passed
}

// choose is the probability of k heads of n fair coins.
func choose(n, k int) float64 { return AtLeast(k, n) - AtLeast(k+1, n) }

func TestMoreRightIsLessLikely(t *testing.T) {
	rapid.Check(t, func(p *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(p, "n")
		k := rapid.IntRange(0, n-1).Draw(p, "right")
		if a, b := AtLeast(k, n), AtLeast(k+1, n); !(b < a || a > 0.999999) || b > a+1e-12 || a > 1 || b < 0 {
			p.Errorf("%d of %d: %v, one more: %v", k, n, a, b)
		}
	})
}

// document has a judgement that is shown, and n that test.
func document(t *testing.T, n int) *constitution.Document {
	t.Helper()
	text := `
name: test
prompts: {judge_instruction: "Which is better? {text}"}
principles:
  - {id: kind, text: Be kind., critique_request: "Is it kind?", revision_request: Make it kind.}
judgements:
  - {prompt: shown, principle: kind, a: x, b: y, better: b, reasons: It is so.}
`
	for i := range n {
		text += fmt.Sprintf("  - {prompt: tested %d, principle: kind, a: one, b: other, better: %s, use: test}\n", i, []string{"a", "b"}[i%2])
	}
	doc, err := constitution.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestRun: a model of random numbers fails after a third of the cases.
func TestRun(t *testing.T) {
	doc := document(t, 30)
	cases := Of(doc)
	if len(cases) != 30 {
		t.Fatalf("%d cases", len(cases))
	}
	m := enginetest.New(engine.Limits{Sequences: 4, Context: 600, Cells: 2400, Batch: 64})
	e, err := engine.New(m, m, engine.Config{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	f, err := chat.NewFormatter(t.Context(), chat.Plain{}, enginetest.Letters{Model: m})
	if err != nil {
		t.Fatal(err)
	}
	j, err := feedback.New(t.Context(), f, doc, feedback.Settings{Layout: feedback.OptionsFirst})
	if err != nil {
		t.Fatal(err)
	}
	r, err := cases.Run(t.Context(), j, e)
	if err != nil || r.Cases != 10 || r.Of != 30 || r.Verdict != Failed || r.Agreed == 0 || r.Agreed == 10 {
		t.Errorf("%+v, %v", r, err)
	}
	if !strings.Contains(r.String(), "of 10 known cases") {
		t.Error(r.String())
	}
	long := cases[:3]
	long[1].Pair.First = strings.Repeat("x", 700)
	if _, err := long.Run(t.Context(), j, e); err == nil || !strings.Contains(err.Error(), "tested") {
		t.Errorf("a case that does not fit: %v", err)
	}
}
