package feedback

import (
	"amend/engine/chat"
	"amend/engine/revise"
)

// Compare makes a pair of a row's answers of two rounds, 0 being the first response; ok is false where it lacks one.
func Compare(rec revise.Record, from, to int) (p Pair, ok bool) {
	p = Pair{ID: rec.ID, Index: rec.Index}
	for _, m := range rec.Messages {
		p.Messages = append(p.Messages, chat.Message{Role: m.Role, Text: m.Content})
	}
	found := 0
	for _, t := range rec.Turns {
		if t.Kind == revise.Critique {
			continue
		}
		switch t.Round {
		case from:
			p.First = t.Text
			found++
		case to:
			p.Second = t.Text
			found++
		}
	}
	return p, found == 2
}
