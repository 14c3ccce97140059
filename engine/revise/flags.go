package revise

import (
	"slices"
	"strings"

	"amend/engine"
	"amend/engine/chat"
	"amend/engine/check"
)

// safeTag is the tag of rows whose prompt asks for nothing harmful.
const safeTag = "safe"

// checked is what the checks are told of a finished turn.
func (r *row) checked(t Turn) check.Input {
	in := check.Input{
		Kind: t.Kind, Text: t.Text, Prompt: said(r.in.Messages), Draft: r.draftText, Request: t.Request,
		Safe:  slices.ContainsFunc(r.in.Attributes.Tags, func(tag string) bool { return strings.EqualFold(tag, safeTag) }),
		Clean: r.isFoundClean(), Cut: t.End == engine.EndLength, Think: t.Think,
	}
	if t.Kind == Revision {
		in.Critique = r.critique
	}
	return in
}

// isFoundClean reports whether there are verdicts on the draft, and all found it clean.
func (r *row) isFoundClean() bool { return len(r.breaches) > 0 && !r.isBreached() }

// said is what a conversation says, without system texts.
func said(messages []chat.Message) string {
	var texts []string
	for _, m := range messages {
		if m.Role != chat.System {
			texts = append(texts, m.Text)
		}
	}
	return strings.Join(texts, "\n\n")
}
