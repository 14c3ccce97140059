package reward

import (
	"math"
	"testing"
)

// TestMarks: by hand. The judge prefers short answers, and is wrong in the last case.
func TestMarks(t *testing.T) {
	yes, no := true, false
	cases := []Case{
		{Prompt: "a", First: "short", Second: "a long answer", Label: 0.9, Judge: new(float64(0.9)), Predicted: 0.8, Truth: &yes},
		{Prompt: "b", First: "a long answer", Second: "short", Label: 0.2, Judge: new(float64(0.2)), Predicted: 0.4, Truth: &no},
		{Prompt: "c", First: "I can't help with that.", Second: "a long answer, a very long answer indeed", FirstRefuses: true, Label: 0.7, Judge: new(float64(0.7)), Predicted: 0.3, Truth: &yes},
		{Prompt: "d", First: "same", Second: "size", Label: 0.6, Judge: new(float64(0.6)), Predicted: 0.7},
		{Prompt: "e", First: "short", Second: "a long answer", Label: 0.8, Judge: new(float64(0.8)), Predicted: 0.9, Truth: &no},
	}
	length, refusal := Signs(cases)
	if length != -1 || refusal != 1 {
		t.Errorf("signs %g and %g: the labels prefer the shorter one, and the refusal", length, refusal)
	}
	got := Marks(cases, length, refusal)
	for i, want := range []struct {
		name          string
		labels, truth float64 // right, of 5 and of 4
	}{
		{"preference model", 4, 2}, {"judge", 5, 3},
		{"length only", 4.5, 3},  // four, and half of the one of equal size
		{"refusal only", 3, 2.5}, // one, and half of the other four; one, and half of the other three
	} {
		m := got[i]
		if m.Name != want.name || math.Abs(m.Labels.Share-want.labels/5) > 1e-9 || math.Abs(m.Truth.Share-want.truth/4) > 1e-9 {
			t.Errorf("%s: %+v, truth %+v; want %+v", m.Name, m.Labels, m.Truth, want)
		}
		if gain := (2 - want.truth) / 4; math.Abs(m.Gain.Value-gain) > 1e-9 {
			t.Errorf("%s: the preference model gains %+v over it, want %g", m.Name, m.Gain, gain)
		}
	}
	if unknown := Marks(cases[3:4], 1, 1); unknown[0].Truth != nil {
		t.Error("a share of nothing that is known")
	}
}
