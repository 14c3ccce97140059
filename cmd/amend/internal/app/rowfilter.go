package app

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"amend/cmd/amend/internal/failure"
	"amend/engine/check"
	"amend/engine/nearest"
	"amend/engine/revise"
)

// AnyRound is the round of a RowFilter that asks for none.
const AnyRound = -1

// RowFilter chooses rows of a run. A row passes if one of its turns has the flag, the principle and the round that are asked
// for, and if its answer changed, where that is asked for.
type RowFilter struct {
	Flag      check.Flag // empty: any
	Principle string     // an id; empty: any
	Round     int        // 0 is the first response; AnyRound: any
	Changed   bool       // the last answer is not the first response; with a round, the answer after it not the one before it
}

// Where is the run with the rows that pass a filter. Its errors name the nearest flag or principle.
func (r StoredRun) Where(f RowFilter) (StoredRun, error) {
	if err := f.validate(r); err != nil {
		return r, err
	}
	all := r.Rows
	r.Rows = func(yield func(revise.Record, error) bool) {
		for rec, err := range all {
			if err != nil || f.passes(&rec) {
				if !yield(rec, err) {
					return
				}
			}
		}
	}
	return r, nil
}

func (f RowFilter) validate(r StoredRun) error {
	if f.Flag != "" {
		if err := failure.OneOf("flag", f.Flag, check.Flags()...); err != nil {
			return err
		}
	}
	if rounds := r.Manifest.Results.Revisions; f.Round > rounds || f.Round < AnyRound {
		return &failure.FieldError{Field: "round", Value: f.Round, Want: fmt.Sprintf("the run has rounds 0 to %d", rounds)}
	}
	if f.Principle == "" {
		return nil
	}
	doc, err := r.constitution()
	if err != nil {
		return failure.Input(err)
	}
	var ids []string
	for _, p := range doc.Principles {
		ids = append(ids, p.ID)
	}
	if slices.Contains(ids, f.Principle) {
		return nil
	}
	want := "is not a principle that the run draws"
	if near := nearest.Names(f.Principle, ids); len(near) > 0 {
		want += "; the nearest are " + strings.Join(near, ", ")
	}
	return &failure.FieldError{Field: "principle", Value: strconv.Quote(f.Principle), Want: want}
}

// passes reports whether a row passes.
func (f RowFilter) passes(rec *revise.Record) bool {
	if f.Changed && !f.changed(rec) {
		return false
	}
	if f.Flag == "" && f.Principle == "" && f.Round == AnyRound {
		return true
	}
	return slices.ContainsFunc(rec.Turns, func(t revise.Turn) bool {
		return (f.Flag == "" || slices.Contains(t.Flags, f.Flag)) &&
			(f.Principle == "" || t.Principle == f.Principle) &&
			(f.Round == AnyRound || t.Round == f.Round)
	})
}

// changed reports whether the row's answer changed: in the round, or at all.
func (f RowFilter) changed(rec *revise.Record) bool {
	before, after := 0, rec.Answers()
	if len(after) == 0 {
		return false
	}
	last := after[len(after)-1]
	if f.Round > 0 {
		before = f.Round - 1
		last, _ = rec.After(f.Round)
	}
	first, ok := rec.After(before)
	return ok && first.Text != last.Text
}
