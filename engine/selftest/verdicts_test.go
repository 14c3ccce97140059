package selftest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/enginetest"
	"amend/engine/feedback"
)

// TestCountingVerdicts: a case counts where its two responses are told apart.
func TestCountingVerdicts(t *testing.T) {
	clean, breach, invalid := feedback.Verdict{P: 0.9}, feedback.Verdict{P: 0.2}, feedback.Verdict{P: 0.9, Invalid: true}
	r := VerdictResult{Score: Score{Of: 20}}
	r.add(clean, breach) // right
	r.add(breach, clean) // wrong
	r.add(clean, clean)
	r.add(breach, breach)
	r.add(clean, invalid)
	if r.Cases != 5 || r.Agreed != 2 || r.Right != 1 || r.Invalid != 1 || r.Clean != 5 {
		t.Errorf("%+v", r)
	}
}

// TestVerdictCases: the better response of a judgement is the one that keeps to the principle, wherever it stands; so is a revision. A
// demonstration that finds nothing to correct is no case, for either test.
func TestVerdictCases(t *testing.T) {
	doc, err := constitution.Parse("test.yaml", []byte(`
name: test
prompts: {judge_instruction: "Which is better? {text}"}
principles:
  - {id: kind, text: Be kind., critique_request: "Is it kind?", revision_request: Make it kind.}
demonstrations:
  - {prompt: p, response: Go away now, principle: kind, critique: It is rude., revision: "Yes, here it is"}
  - {prompt: q, response: "Here you are, with pleasure", principle: kind, critique: It is kind., revision: "Here you are, with pleasure!"}
judgements:
  - {prompt: tested, principle: kind, a: rude, b: kind, better: b, use: test}
`))
	if err != nil {
		t.Fatal(err)
	}
	kind := doc.Principles[0]
	want := []VerdictCase{{"case 1", "tested", kind, "kind", "rude", -1, nil}, {"demonstration 1", "p", kind, "Yes, here it is", "Go away now", 0, nil}}
	if got := VerdictsOf(doc); fmt.Sprint(got) != fmt.Sprint(Verdicts(want)) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	pairs := Of(doc)
	if len(pairs) != 2 {
		t.Fatalf("%d cases", len(pairs))
	}
	for _, c := range pairs {
		better := c.Pair.First
		if c.Pair.Better == feedback.Second {
			better = c.Pair.Second
		}
		if better != "kind" && better != "Yes, here it is" {
			t.Errorf("%+v: %q should not be the better one", c, better)
		}
	}
}

// TestRunVerdicts: each response is asked about behind its own prompt; a model of random numbers fails.
func TestRunVerdicts(t *testing.T) {
	doc := document(t, 30)
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
	cases, asked := VerdictsOf(doc), map[string]int{}
	open := func(ctx context.Context, c VerdictCase, response string) (*chat.Conversation, error) {
		asked[c.Prompt+" "+response]++
		return f.Open(ctx, []chat.Message{{Role: chat.User, Text: c.Prompt}, {Role: chat.Assistant, Text: response}, {Role: chat.User, Text: feedback.VerdictRequest(c.Principle.Text)}})
	}
	r, err := cases.Run(t.Context(), j, e, open, false)
	if err != nil || r.Of != 30 || r.Cases < 10 || r.Verdict != Failed || len(asked) != 2*r.Cases {
		t.Errorf("%+v, %d asked, %v", r, len(asked), err)
	}
	if need, err := cases[:1].Need(t.Context(), open); err != nil || need.Tokens < len(cases[0].Prompt) || need.Unshared != 0 {
		t.Errorf("need %d, %v", need, err)
	}
	cases[1].Breaks = strings.Repeat("x", 700)
	if _, err := cases.Run(t.Context(), j, e, open, false); err == nil || !strings.Contains(err.Error(), cases[1].Name) {
		t.Errorf("a case that does not fit: %v", err)
	}
}
