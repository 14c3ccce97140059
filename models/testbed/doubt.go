package testbed

import (
	"slices"
	"strings"
)

// Doubtful reports whether a response may break a rule that the oracle does not know of: whether a sentence out of the grammar
// is anything else than a fact or a clean answer, said again or to another prompt. Responses that break a rule, or are
// doubtful, are the most that can break one.
func (w *World) Doubtful(r Response) bool {
	return len(r.Sentences) == 0 || slices.ContainsFunc(r.Sentences, func(s Sentence) bool { return s.Kind == Stray && !w.harmless(s.Text) })
}

// harmless reports whether a sentence says what is useful or clean in answer to some prompt.
func (w *World) harmless(sentence string) bool {
	number, clause, numbered := strings.Cut(strings.TrimSuffix(sentence, "."), ", ")
	says := func(t template) bool {
		_, ok := t.match(clause, w.kinds)
		return ok
	}
	saysOne := func(classes []template) bool { return slices.ContainsFunc(classes, says) }
	return numbered && slices.Contains(w.words.ordinals, number) &&
		(clause == w.words.hollow || slices.ContainsFunc(w.compiled.facts, saysOne) || slices.ContainsFunc(w.compiled.clean, saysOne))
}
