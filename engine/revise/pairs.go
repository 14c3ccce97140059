package revise

import (
	"slices"

	"amend/engine/feedback"
)

// SamplePairs makes pairs of the rows of one input, in their order: the first with the second, the third with the
// fourth. What is compared are their final answers. A row that failed, or whose other half did, is in no pair.
type SamplePairs struct {
	odd map[string]Record // by input, those whose other half has not come yet
}

// Add takes the next row of the run; ok is false where it completes no pair.
func (s *SamplePairs) Add(rec Record) (p feedback.Pair, ok bool) {
	if rec.Sample == nil || rec.Error != "" {
		return p, false
	}
	if s.odd == nil {
		s.odd = map[string]Record{}
	}
	if rec.Sample.Number%2 == 1 {
		s.odd[rec.Sample.Of] = rec
		return p, false
	}
	other, ok := s.odd[rec.Sample.Of]
	delete(s.odd, rec.Sample.Of)
	if !ok || other.Sample.Number != rec.Sample.Number-1 {
		return p, false
	}
	first, ok := other.Final()
	second, ok2 := rec.Final()
	p = feedback.Pair{
		ID: other.ID + "," + rec.ID, Index: other.Index, Messages: rec.Conversation(), Where: rec.Where,
		First: first.Text, Second: second.Text, Flagged: [2]bool{flagged(first), flagged(second)},
	}
	return p, ok && ok2
}

// flagged reports whether a check found a fault in an answer. That it is its draft again is none.
func flagged(t Trace) bool {
	return slices.ContainsFunc(t.Flags, func(f Flag) bool { return f != Unchanged })
}

// Pair compares the row's answers after two rounds, 0 being the first response; ok is false where it has none.
func (r *Record) Pair(from, to int) (p feedback.Pair, ok bool) {
	first, ok := r.After(from)
	second, ok2 := r.After(to)
	p = feedback.Pair{
		ID: r.ID, Index: r.Index, Messages: r.Conversation(), Where: r.Where,
		First: first.Text, Second: second.Text, Flagged: [2]bool{flagged(first), flagged(second)},
	}
	return p, ok && ok2
}
