package testbed

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestDoubtful: what is read is not in doubt; said twice, or in answer to another prompt, what is clean is not, what breaks a
// rule and what is no sentence of the world is.
func TestDoubtful(t *testing.T) {
	w := New()
	r := rand.New(rand.NewPCG(1, 2))
	clean, broken := 0, 0
	for range 400 {
		p, other := w.DrawPrompt(r, true), w.DrawPrompt(r, true)
		good := w.DrawResponseWith(r, p, func(int) bool { return false })
		if w.Doubtful(good) || w.Doubtful(w.DrawResponse(r, p)) {
			t.Fatalf("%q is in doubt", good.Text)
		}
		list, _ := sentences(good.Text)
		twice := w.ReadResponse(p, good.Text+" "+list[0])
		if twice.InGrammar() || w.Doubtful(twice) {
			t.Fatalf("%q: %+v", twice.Text, twice)
		}
		garbled := w.ReadResponse(p, strings.Replace(good.Text, ".", " new new new.", 1))
		if garbled.InGrammar() || !w.Doubtful(garbled) {
			t.Fatalf("%q is in no doubt", garbled.Text)
		}
		if foreign := w.ReadResponse(other, good.Text); !foreign.InGrammar() {
			clean++
			if w.Doubtful(foreign) {
				t.Fatalf("%q answers another prompt, and is in doubt", foreign.Text)
			}
		}
		own := w.DrawResponseWith(r, p, func(int) bool { return true })
		bad := w.ReadResponse(other, own.Text)
		for i, s := range bad.Sentences {
			if s.Kind == Stray && own.Sentences[i].Kind == Breach {
				broken++
				if !w.Doubtful(bad) {
					t.Fatalf("%q is in no doubt", bad.Text)
				}
			}
		}
	}
	if clean < 100 || broken < 50 {
		t.Errorf("%d clean answers to other prompts, %d that break a rule", clean, broken)
	}
	if !w.Doubtful(w.ReadResponse(w.DrawPrompt(r, true), "")) {
		t.Error("nothing is in no doubt")
	}
}
