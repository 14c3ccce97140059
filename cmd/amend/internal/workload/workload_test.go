package workload

import (
	"testing"
)

func load(t *testing.T) map[string]Spec {
	t.Helper()
	specs, _, err := Specs()
	if err != nil {
		t.Fatal(err)
	}
	return specs
}

// TestExpectedCounts: what workloads.json says is what its rows add up to.
func TestExpectedCounts(t *testing.T) {
	for name, spec := range load(t) {
		for _, order := range spec.Orders {
			w, err := New(name, order, spec.Lengths, 49152, 7)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := w.Count(), spec.Expected[order]; got != want {
				t.Errorf("%s, %s: counted %+v, workloads.json has %+v", name, order, got, want)
			}
		}
	}
}

// TestCountsByHand works one row of each kind out by arithmetic.
func TestCountsByHand(t *testing.T) {
	l := Lengths{Rows: 3, Preamble: 100, Prompt: 10, Response: 8, Rounds: 2, Principles: 2, CritiqueRequest: 5, Critique: 6, RevisionRequest: 3, Revision: 8, Option: 7, Principle: 4}
	for _, c := range []struct {
		name, order string
		distinct    int // of one row, without the preamble
	}{
		{"loop", "append", 10 + 2*((1+5)+(1+3))},
		// The second round starts from the prompt: the revision is computed again, as a prompt.
		{"loop", "faithful", 10 + (1 + 5) + (1 + 3) + (8 + 5) + (1 + 3)},
		// The response's last token is computed with the first critique alone.
		{"fanout", "branches", 10 + 1 + 2*(5+(1+3))},
		{"feedback", "options-first", 10 + 2*(14+2*4)},
		{"feedback", "principle-first", 10 + 2*(4+2*14)},
	} {
		w, err := New(c.name, c.order, l, 49152, 7)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := w.Count().Distinct, 100+3*c.distinct; got != want {
			t.Errorf("%s, %s: %d distinct tokens, by hand %d", c.name, c.order, got, want)
		}
	}
}

// TestPromptFollowsOutputs: a prompt has the outputs of the turns it names, and
// each of the same seed's rows is the same.
func TestPromptFollowsOutputs(t *testing.T) {
	l := load(t)["loop"].Lengths
	a, err := New("loop", "append", l, 49152, 7)
	if err != nil {
		t.Fatal(err)
	}
	r := &a.Rows[3]
	outputs := make([][]Token, len(r.Turns))
	for i, turn := range r.Turns {
		for _, before := range r.After(i) {
			if before >= i {
				t.Fatalf("turn %d comes before turn %d, whose output it has", i, before)
			}
		}
		prompt := r.Prompt(i, outputs)
		if i > 0 {
			last := r.Prompt(i-1, outputs)
			if want := len(last) + r.Turns[i-1].Decode; len(prompt) <= want {
				t.Fatalf("turn %d has %d prompt tokens, the turn before and its output %d", i, len(prompt), want)
			}
		}
		outputs[i] = make([]Token, turn.Decode)
	}
}

// TestLengthsThatDoNothing: no rounds are fine, turns of no tokens and rows of
// no turns are refused.
func TestLengthsThatDoNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Lengths)
		fine   bool
	}{
		{"loop", func(l *Lengths) { l.Rounds = 0 }, true},
		{"loop", func(l *Lengths) { l.Preamble = 0 }, true},
		{"loop", func(l *Lengths) { l.Critique = 0 }, false},
		{"loop", func(l *Lengths) { l.Rows = 0 }, false},
		{"feedback", func(l *Lengths) { l.Principles = 0 }, false},
	} {
		l := load(t)[c.name].Lengths
		c.change(&l)
		if _, err := New(c.name, "", l, 49152, 7); (err == nil) != c.fine {
			t.Errorf("%s with %+v: %v", c.name, l, err)
		}
	}
}
