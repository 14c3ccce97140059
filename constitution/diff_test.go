package constitution

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestDiffWords: what is kept and deleted is the first text, what is kept and inserted the second, and equal texts are
// kept whole.
func TestDiffWords(t *testing.T) {
	words := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 12)
	rapid.Check(t, func(t *rapid.T) {
		a, b := strings.Join(words.Draw(t, "a"), " "), strings.Join(words.Draw(t, "b"), " ")
		var first, second []string
		changed := false
		for _, w := range DiffWords(a, b) {
			if w.Op != Insert {
				first = append(first, w.Text)
			}
			if w.Op != Delete {
				second = append(second, w.Text)
			}
			changed = changed || w.Op != Keep
		}
		if strings.Join(first, " ") != a || strings.Join(second, " ") != b || changed != (a != b) {
			t.Fatalf("%q and %q: %+v", a, b, DiffWords(a, b))
		}
	})
	kept := 0
	for _, w := range DiffWords("be kind to all people", "to all people be kind") {
		if w.Op == Keep {
			kept += len(strings.Fields(w.Text))
		}
	}
	if kept != 3 {
		t.Errorf("%d words are kept, the longest common sequence has 3", kept)
	}
}
