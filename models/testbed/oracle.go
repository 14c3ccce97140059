package testbed

import "slices"

// Marks are what the oracle says of a critique.
type Marks struct {
	Due   int // rules that the response breaks and the principle covers
	Flags int // that the critique names
	Right int // of these, on a rule that is broken and covered, with the words that break it
}

// MarkCritique compares a critique with the truth.
func (w *World) MarkCritique(p Principle, r Response, c Critique) Marks {
	breaks := w.Breaks(p, r)
	m := Marks{Due: len(breaks), Flags: len(c.Flags)}
	for _, f := range c.Flags {
		m.Right += count(slices.ContainsFunc(breaks, func(s Sentence) bool { return s.Rule == f.Rule && s.Clause(r.Text) == f.Quote }))
	}
	return m
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Change is what the oracle says of a revision.
type Change struct {
	Fixed bool  // none of the sentences that were to be repaired is broken any more
	Only  bool  // every other sentence is as it was, and each repaired one is one clean sentence
	Broke []int // rules that the draft kept and the revision breaks
	Lost  int   // useful facts that are gone
}

// CompareRevision says what became of a draft whose sentences repair were to be repaired.
func (w *World) CompareRevision(draft, revision Response, repair []Sentence) Change {
	var c Change
	before, after := draft.Broken(), revision.Broken()
	for _, rule := range after {
		if !slices.Contains(before, rule) {
			c.Broke = append(c.Broke, rule)
		}
	}
	c.Fixed = !slices.ContainsFunc(repair, func(s Sentence) bool { return slices.Contains(after, s.Rule) })
	for _, f := range draft.Facts() {
		c.Lost += count(!slices.Contains(revision.Facts(), f))
	}
	c.Only = len(draft.Sentences) == len(revision.Sentences)
	for i := 0; c.Only && i < len(draft.Sentences); i++ {
		was, is := draft.Sentences[i], revision.Sentences[i]
		due := slices.ContainsFunc(repair, func(s Sentence) bool { return s.Start == was.Start })
		c.Only = due && is.Kind == Clean || !due && is.Text == was.Text
	}
	return c
}

// Named are the sentences of a response that a critique flags, as far as it quotes them.
func (c Critique) Named(r Response) []Sentence {
	var out []Sentence
	for _, s := range r.Sentences {
		if slices.ContainsFunc(c.Flags, func(f Flag) bool { return f.Rule == s.Rule && f.Quote == s.Clause(r.Text) }) {
			out = append(out, s)
		}
	}
	return out
}
