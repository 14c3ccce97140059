package revise

import (
	"testing"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/check"
)

// TestChecked: a turn is held against the answer that it is about and the critique of its own try.
func TestChecked(t *testing.T) {
	r := Record{
		Attributes: constitution.Attributes{Tags: []string{"quiz", "Safe"}},
		Messages:   []chat.Message{{Role: chat.System, Text: "be brief"}, {Role: chat.User, Text: "ask"}},
		Turns: []Turn{
			{Kind: Response, Text: "draft", End: engine.EndLength},
			{Kind: Critique, Round: 1, Request: "what is wrong?", Text: "first critique"},
			{Kind: Revision, Round: 1, Text: "refused", Gate: &Decision{Refused: NotPreferred}},
			{Kind: Critique, Round: 1, Try: 1, Text: "second critique", Think: "hm"},
			{Kind: Revision, Round: 1, Try: 1, Text: "taken", Gate: &Decision{}},
			{Kind: Revision, Round: 2, Text: "without a critique"},
		},
	}
	want := []check.Input{
		{Kind: Response, Text: "draft", Cut: true},
		{Kind: Critique, Text: "first critique", Draft: "draft", Request: "what is wrong?"},
		{Kind: Revision, Text: "refused", Draft: "draft", Critique: "first critique"},
		{Kind: Critique, Text: "second critique", Draft: "draft", Think: "hm"},
		{Kind: Revision, Text: "taken", Draft: "draft", Critique: "second critique"},
		{Kind: Revision, Text: "without a critique", Draft: "taken"},
	}
	for i, w := range want {
		w.Prompt, w.Safe = "ask", true
		if got := r.Checked(i); got != w {
			t.Errorf("turn %d: %+v, want %+v", i, got, w)
		}
	}
}
