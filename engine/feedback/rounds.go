package feedback

import (
	"slices"

	"amend/engine/revise"
)

// Samples makes pairs of the rows of one input, in their order: the first with the second, the third with the fourth. What is
// compared are their final answers. A row that failed, or whose other half did, is in no pair.
type Samples struct {
	odd map[string]revise.Record // by input, those whose other half has not come yet
}

// Add takes the next row of the run; ok is false where it completes no pair.
func (s *Samples) Add(rec revise.Record) (p Pair, ok bool) {
	if rec.Sample == nil || rec.Error != "" {
		return p, false
	}
	if s.odd == nil {
		s.odd = map[string]revise.Record{}
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
	p = Pair{ID: other.ID + "," + rec.ID, Index: other.Index, Messages: rec.Conversation(), First: first.Text, Second: second.Text, Where: rec.Where}
	p.Flagged = [2]bool{flagged(first), flagged(second)}
	return p, ok && ok2
}

// flagged reports whether a check found a fault in an answer. That it is its draft again is none.
func flagged(t revise.Trace) bool {
	return slices.ContainsFunc(t.Flags, func(f revise.Flag) bool { return f != revise.Unchanged })
}

// Compare makes a pair of a row's answers of two rounds, 0 being the first response; ok is false where it lacks one.
func Compare(rec revise.Record, from, to int) (p Pair, ok bool) {
	p = Pair{ID: rec.ID, Index: rec.Index, Messages: rec.Conversation(), Where: rec.Where}
	found := 0
	for _, t := range rec.Turns {
		if t.Kind == revise.Critique {
			continue
		}
		switch t.Round {
		case from:
			p.First, p.Flagged[0] = t.Text, flagged(t)
			found++
		case to:
			p.Second, p.Flagged[1] = t.Text, flagged(t)
			found++
		}
	}
	return p, found == 2
}
