package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/prompts"
	"amend/models/testbed"
)

// corpus writes groups of the corpus.
func corpus(t *testing.T, groups int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := writeCorpus(&out, testbed.New(), rand.New(rand.NewPCG(1, 1)), groups); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestCorpusHoldsNothingHeldOut: training sees no wording and no filler that the figures are measured with.
func TestCorpusHoldsNothingHeldOut(t *testing.T) {
	text := string(corpus(t, 80))
	held := testbed.New().HeldOut()
	if len(held) < 500 {
		t.Fatalf("only %d texts are held out", len(held))
	}
	for _, h := range held {
		if at := strings.Index(text, h); at >= 0 {
			t.Errorf("%q is held out and is in the corpus: …%s…", h, text[max(0, at-40):at+40])
		}
	}
	var prompts bytes.Buffer
	if err := writePrompts(&prompts, testbed.New(), rand.New(rand.NewPCG(1, 2)), 300, true); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, h := range held {
		if strings.Contains(prompts.String(), h) {
			found++
		}
	}
	if found < 100 {
		t.Errorf("300 held-out prompts hold only %d held-out texts: the check above proves little", found)
	}
}

// TestCorpusIsOfTheWorld: what stands as a prompt, a response, a critique or a revision in the corpus is one, and
// every tree is whole.
func TestCorpusIsOfTheWorld(t *testing.T) {
	w := testbed.New()
	seen := map[string]int{}
	for line := range bytes.Lines(corpus(t, 40)) {
		var g group
		if err := json.Unmarshal(line, &g); err != nil {
			t.Fatal(err)
		}
		trees := append(g.Trees, tree{g.Preamble})
		for _, tr := range trees {
			for i, n := range tr.Nodes {
				if n.Parent >= i || n.Parent < root {
					t.Fatalf("node %d of %+v comes before its parent", i, tr)
				}
				if n.Text == "" || n.Learn && n.Role != chat.Assistant {
					t.Fatalf("node %+v", n)
				}
				if n.Role == chat.Assistant {
					seen[kindOf(t, w, tr, i)]++
				}
			}
		}
	}
	for _, kind := range []string{"response", "critique", "verdict", "judgement", "reasons", "prompt", "rule"} {
		if seen[kind] < 10 {
			t.Errorf("%d %ss in the corpus", seen[kind], kind)
		}
	}
}

// kindOf says what the assistant's message i is, and fails the test where it is nothing of this world.
func kindOf(t *testing.T, w *testbed.World, tr tree, i int) string {
	t.Helper()
	text := tr.Nodes[i].Text
	if _, ok := w.ReadCritique(text); ok {
		return "critique"
	}
	switch text {
	case feedback.SaidBreach, feedback.SaidClean:
		return "verdict"
	case testbed.A.Answer(), testbed.B.Answer():
		return "judgement"
	}
	if strings.Contains(text, ". (A) ") && strings.Contains(text, feedback.AnswerStem+" (") {
		return "reasons"
	}
	if _, ok := w.ReadPrompt(text); ok {
		return "prompt"
	}
	for _, r := range w.Rules() {
		for _, s := range r.Statements {
			if s == text {
				return "rule"
			}
		}
	}
	for at := tr.Nodes[i].Parent; at >= 0; at = tr.Nodes[at].Parent { // the nearest prompt above
		if p, ok := w.ReadPrompt(tr.Nodes[at].Text); ok {
			if !w.ReadResponse(p, text).InGrammar() {
				t.Fatalf("%q answers %q and is not of this world", text, p.Text)
			}
			return "response"
		}
	}
	t.Fatalf("the assistant says %q", text)
	return ""
}

// TestHeldOutPrompts: the prompts are of the world and are read by amend as they are.
func TestHeldOutPrompts(t *testing.T) {
	w := testbed.New()
	var out bytes.Buffer
	if err := writePrompts(&out, w, rand.New(rand.NewPCG(2, 2)), 400, true); err != nil {
		t.Fatal(err)
	}
	set, err := prompts.Read(prompts.Paths{"-"}, &out, prompts.Options{})
	if err != nil || len(set.Rows) != 400 || len(set.Bad) != 0 {
		t.Fatalf("%d rows, %v, %v", len(set.Rows), set.Bad, err)
	}
	later := 0
	for _, r := range set.Rows {
		p, ok := w.ReadPrompt(r.Messages[len(r.Messages)-1].Text)
		if !ok {
			t.Errorf("%q is not of the world", r.Messages)
		}
		if p.Thanks != "" {
			later++
		}
	}
	if later < 40 || later > 100 {
		t.Errorf("%d of 400 prompts are the later turn of a conversation", later)
	}
}
