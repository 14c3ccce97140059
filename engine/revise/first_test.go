package revise

import "testing"

// TestFirstResponsesAlone: a run of first responses writes those that a run with critiques writes, and neither computes nor makes
// room for the demonstrations that stand before critiques.
func TestFirstResponsesAlone(t *testing.T) {
	s := testSettings
	s.Demonstrations, s.Rounds = BeforeCritique, 1
	whole := newWorldOf(t, aloneDocument, s, nil, 8, false)
	want := whole.run(t, inputs(3), 2)
	s.Rounds = 0
	w := newWorldOf(t, aloneDocument, s, nil, 8, false)
	if n := len(w.loop.Prefix()); n != 0 {
		t.Errorf("%d tokens stand before all rows", n)
	}
	need, err := w.loop.Need(t.Context(), inputs(1)[0])
	if err != nil {
		t.Fatal(err)
	}
	if most := len(whole.loop.Prefix()); need.Tokens >= most+s.MaxTokens {
		t.Errorf("a row needs %d tokens, and the demonstrations alone have %d", need.Tokens, most)
	}
	for id, rec := range w.run(t, inputs(3), 2) {
		if first := want[id].Turns[0]; len(rec.Turns) != 1 || rec.Turns[0].Text != first.Text || rec.Turns[0].Prompt != first.Prompt {
			t.Errorf("%s: %+v, want %+v", id, rec.Turns, first)
		}
	}
}
