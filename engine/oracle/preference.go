package oracle

import (
	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/revise"
	"amend/models/testbed"
)

// Preference is the true preference between two responses under a principle, or under all rules where principle is "": the one
// that breaks less. It is unknown where the conversation or the principle is not of the testbed's world.
func Preference(w *testbed.World, in feedback.Pair, principle string) feedback.Preference {
	last := in.Messages[len(in.Messages)-1]
	prompt, ok := w.ReadPrompt(last.Text)
	if !ok || last.Role != chat.User {
		return feedback.Unknown
	}
	breaches := func(r testbed.Response) int { return len(r.Breaches()) }
	if principle != "" {
		p, ok := w.Principle(principle)
		if !ok {
			return feedback.Unknown
		}
		breaches = func(r testbed.Response) int { return len(w.Breaks(p, r)) }
	}
	first, second := breaches(w.ReadResponse(prompt, in.First)), breaches(w.ReadResponse(prompt, in.Second))
	switch {
	case first < second:
		return feedback.First
	case second < first:
		return feedback.Second
	}
	return feedback.Tie
}

// Quality is what the oracle says of an answer of a row; ok is false where the prompt is not of the testbed's world.
func Quality(w *testbed.World, rec revise.Record, text string) (a Answer, ok bool) {
	p, ok := Prompt(w, rec)
	if !ok {
		return Answer{}, false
	}
	return newAnswer(w, p, text), true
}
