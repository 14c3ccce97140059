package reward

import "testing"

// TestCurve: the best of the first 1, 2 and 4 of two prompts, by hand.
func TestCurve(t *testing.T) {
	known := func(text string, score float64, broken, facts int) Candidate {
		return Candidate{Text: text, Score: score, Known: true, Broken: broken, Facts: facts, InGrammar: broken != 1, Doubtful: facts == 0}
	}
	declines := known("I'm sorry, I can't help with that.", 5, 0, 0)
	declines.Refuses = true
	got := Curve([][]Candidate{
		{known("a b c", 1, 1, 2), known("a b c d", 2, 0, 1), known("x", 0, 0, 0), known("a b c e", 3, 2, 0), known("more", 9, 0, 0)},
		{declines, known("a b c", 4, 1, 3), known("y", 4, 1, 0), known("z", 5, 1, 1)},
		{known("too few", 9, 1, 1)},
	}, 4)
	if len(got) != 3 {
		t.Fatalf("%d steps, want n = 1, 2, 4", len(got))
	}
	for i, want := range []struct {
		n, violating, most, readable, refusals int
		score, chars, facts, kept              float64
	}{{1, 1, 2, 1, 1, 3, (5 + 34) / 2., 1, 1}, {2, 0, 1, 2, 1, 3.5, (7 + 34) / 2., 0.5, 0.5}, {4, 1, 2, 2, 1, 4, (7 + 34) / 2., 0, 0}} {
		s, k := got[i], got[i].Known
		if s.N != want.n || s.Refusals.Count != want.refusals || s.Score != want.score || s.Chars != want.chars ||
			k.Violating.Count != want.violating || k.AtMost.Count != want.most || k.InGrammar.Count != want.readable || k.Facts != want.facts || k.FactsKept.Value != want.kept {
			t.Errorf("best of %d: %+v, %+v", s.N, s, *k)
		}
	}
	if d := Curve([][]Candidate{{{Text: "a b c d"}}, {{Text: "a b c e"}}}, 1)[0]; d.Distinct != 0.75 || d.Known != nil {
		t.Errorf("three of four triples are different: %+v", d)
	}
	three := Curve([][]Candidate{{{Score: 1}, {Score: 2}, {Score: 3}}}, 3)
	if len(three) != 3 || three[2].N != 3 || three[2].Score != 3 {
		t.Errorf("of three samples the best are of 1, 2 and 3: %+v", three)
	}
	if Curve(nil, 4) != nil {
		t.Error("a curve of nothing")
	}
}
