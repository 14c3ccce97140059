package workload

import (
	"math/rand/v2"
	"slices"
)

// maker draws the rows of one workload.
type maker struct {
	Lengths
	order     string
	preamble  []Token
	low, high int // ids are drawn from here, away from most vocabularies' control tokens
	rng       *rand.Rand
}

// tokens draws n ids.
func (m *maker) tokens(n int) []Token {
	out := make([]Token, n)
	for i := range out {
		out[i] = Token(m.low + m.rng.IntN(m.high-m.low))
	}
	return out
}

func (m *maker) literal(n int) Part { return Part{Tokens: m.tokens(n)} }

func output(turn int) Part { return Part{Output: turn} }

func (m *maker) row(name string) Row {
	base := []Part{{Tokens: m.preamble}, m.literal(m.Prompt)}
	switch name {
	case "fanout":
		return m.fanout(base)
	case "feedback":
		return m.feedback(base)
	}
	return m.loop(base)
}

// loop is rounds of critique and revision, one after the other.
func (m *maker) loop(base []Part) Row {
	var r Row
	draft := r.add(base, m.Response)
	context := base
	for range m.Rounds {
		revision := m.round(&r, with(context, output(draft)))
		if m.order == "append" {
			context = r.Turns[revision].Parts
		}
		draft = revision
	}
	return r
}

// round adds a critique of what the context ends with, and a revision, whose
// number it returns.
func (m *maker) round(r *Row, context []Part) (revision int) {
	critique := r.add(with(context, m.literal(m.CritiqueRequest)), m.Critique)
	return r.add(with(r.Turns[critique].Parts, output(critique), m.literal(m.RevisionRequest)), m.Revision)
}

// fanout is one response with a critique and a revision under each principle.
func (m *maker) fanout(base []Part) Row {
	var r Row
	response := r.add(base, m.Response)
	for range m.Principles {
		m.round(&r, with(base, output(response)))
	}
	return r
}

// feedback is judgements of a pair of options: under each principle, in both
// orders. The principle comes after the options, where all principles share
// them, or before, as in the paper.
func (m *maker) feedback(base []Part) Row {
	var r Row
	a, b := m.literal(m.Option), m.literal(m.Option)
	var principles []Part
	for range m.Principles {
		principles = append(principles, m.literal(m.Principle))
	}
	pairs := [][]Part{{a, b}, {b, a}}
	if m.order == "options-first" {
		for _, pair := range pairs {
			for _, p := range principles {
				r.add(with(with(base, pair...), p), 1)
			}
		}
		return r
	}
	for _, p := range principles {
		for _, pair := range pairs {
			r.add(with(with(base, p), pair...), 1)
		}
	}
	return r
}

// add appends a turn and returns its number.
func (r *Row) add(parts []Part, decode int) int {
	r.Turns = append(r.Turns, Turn{Parts: parts, Decode: decode})
	return len(r.Turns) - 1
}

func with(parts []Part, more ...Part) []Part {
	return append(slices.Clip(slices.Clone(parts)), more...)
}
