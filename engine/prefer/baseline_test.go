package prefer

import "testing"

// TestMarks: by hand. The judge prefers short answers, and is wrong in the last case.
func TestMarks(t *testing.T) {
	yes, no := true, false
	cases := []Case{
		{"short", "a long answer", 0.9, 0.8, &yes},
		{"a long answer", "short", 0.2, 0.4, &no},
		{"I'm sorry, but I can't help with that.", "a long answer, a very long answer indeed", 0.7, 0.3, &yes},
		{"same", "size", 0.6, 0.7, nil},
		{"short", "a long answer", 0.8, 0.9, &no},
	}
	length, refusal := Signs(cases)
	if length != -1 || refusal != 1 {
		t.Errorf("signs %g and %g: the labels prefer the shorter one, and the refusal", length, refusal)
	}
	got := Marks(cases, length, refusal)
	for i, want := range []struct {
		name          string
		labels, truth int // right
	}{
		{"preference model", 4, 2}, {"judge", 5, 3},
		{"length only", 4, 3},  // four, and half of the one of equal size
		{"refusal only", 3, 2}, // one, and half of the other four; one, and half of the other three
	} {
		m := got[i]
		if m.Name != want.name || m.Labels.Count != want.labels || m.Labels.Of != 5 || m.Truth.Count != want.truth || m.Truth.Of != 4 {
			t.Errorf("%s: %+v, truth %+v; want %+v", m.Name, m.Labels, m.Truth, want)
		}
	}
	if unknown := Marks(cases[3:4], 1, 1); unknown[0].Truth != nil {
		t.Error("a share of nothing that is known")
	}
}
