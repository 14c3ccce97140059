package revise

import (
	"slices"
	"strings"

	"amend/engine"
	"amend/engine/chat"
	"amend/engine/check"
)

// SafeTag is the tag of rows whose prompt asks for nothing harmful.
const SafeTag = "safe"

// Checked is what the checks are told of a turn, by its place in the record. What a gate found of the draft it does not know.
func (r *Record) Checked(turn int) check.Input {
	t := r.Turns[turn]
	in := check.Input{
		Kind: t.Kind, Text: t.Text, Prompt: said(r.Messages, isTurn), Earlier: said(r.Messages, isAnswer), Request: t.Request,
		Safe: r.isSafe(), Cut: t.End == engine.EndLength, Think: t.Think,
	}
	for _, before := range r.Turns[:turn] {
		switch {
		case before.IsAnswer():
			in.Draft = before.Text
		case t.Kind == Revision && before.Kind == Critique && before.Round == t.Round && before.Try == t.Try:
			in.Critique = before.Text
		}
	}
	return in
}

// isSafe reports whether the row's prompt is known to ask for nothing harmful.
func (r *Record) isSafe() bool {
	return slices.ContainsFunc(r.Attributes.Tags, func(tag string) bool { return strings.EqualFold(tag, SafeTag) })
}

func isTurn(role chat.Role) bool   { return role != chat.System }
func isAnswer(role chat.Role) bool { return role == chat.Assistant }

// said is what the messages of some roles say.
func said(messages []chat.Message, by func(chat.Role) bool) string {
	var texts []string
	for _, m := range messages {
		if by(m.Role) {
			texts = append(texts, m.Text)
		}
	}
	return strings.Join(texts, "\n\n")
}

// flag lets the checks look at the newest turn.
func (r *row) flag() {
	newest := len(r.record.Turns) - 1
	in := r.record.Checked(newest)
	in.Clean = r.isFoundClean()
	r.record.Turns[newest].Flags = r.loop.checker.Check(in)
}

// isFoundClean reports whether there are verdicts on the draft, and all found it clean.
func (r *row) isFoundClean() bool { return len(r.breaches) > 0 && !r.isBreached() }
