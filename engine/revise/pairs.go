package revise

import (
	"slices"

	"amend/engine/check"
	"amend/engine/feedback"
)

// SamplePairs makes pairs of the rows of one input: the first with the second, the third with the fourth, or each of the
// others against the first. What is compared are their final answers. A row that failed, or whose other half did, is in
// no pair.
type SamplePairs struct {
	AgainstFirst bool
	waiting      map[string]Record // by input, those that go first in pairs to come
}

// Add takes the next row of the run; ok is false where it completes no pair.
func (s *SamplePairs) Add(rec Record) (p feedback.Pair, ok bool) {
	if rec.Sample == nil || rec.Error != "" {
		return p, false
	}
	if s.waiting == nil {
		s.waiting = map[string]Record{}
	}
	goesFirst, with := rec.Sample.Number%2 == 1, rec.Sample.Number-1
	if s.AgainstFirst {
		goesFirst, with = rec.Sample.Number == 1, 1
	}
	if goesFirst {
		s.waiting[rec.Sample.Of] = rec
		return p, false
	}
	other, ok := s.waiting[rec.Sample.Of]
	if !s.AgainstFirst {
		delete(s.waiting, rec.Sample.Of)
	}
	if !ok || other.Sample.Number != with {
		return p, false
	}
	first, ok := other.Final()
	second, ok2 := rec.Final()
	p = feedback.Pair{
		ID: other.ID + "," + rec.ID, Index: rec.Index, Messages: rec.Messages, Attributes: rec.Attributes,
		First: first.Text, Second: second.Text, Flagged: [2]bool{flagged(first), flagged(second)},
	}
	return p, ok && ok2
}

// flagged reports whether a check found a fault in an answer. A revision that equals its draft has no fault by that.
func flagged(t Turn) bool {
	return slices.ContainsFunc(t.Flags, func(f check.Flag) bool { return f != check.Unchanged })
}

// Pair compares the row's answers after two rounds, 0 being the first response; ok is false where it has none.
func (r *Record) Pair(from, to int) (p feedback.Pair, ok bool) {
	first, ok := r.After(from)
	second, ok2 := r.After(to)
	p = feedback.Pair{
		ID: r.ID, Index: r.Index, Messages: r.Messages, Attributes: r.Attributes,
		First: first.Text, Second: second.Text, Flagged: [2]bool{flagged(first), flagged(second)},
	}
	return p, ok && ok2
}
