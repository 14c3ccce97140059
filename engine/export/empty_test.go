package export

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"amend/engine/check"
	"amend/engine/revise"
)

// An empty set is not written, and the report says what left the rows out.
func TestEmptySetIsNotWritten(t *testing.T) {
	turn := func(kind revise.Kind, text string, flags ...check.Flag) revise.Turn {
		return revise.Turn{Kind: kind, Round: 1, Text: text, Flags: flags}
	}
	rows := []revise.Record{
		{ID: "a", Turns: []revise.Turn{turn(revise.Response, "x", check.Cut), turn(revise.Critique, "no", check.Repeating), turn(revise.Revision, "y", check.Cut, check.LeadIn)}},
		{ID: "b", Turns: []revise.Turn{turn(revise.Response, "x", check.Cut), turn(revise.Revision, "x", check.Unchanged, check.Cut)}},
		{ID: "c", Error: "too long"},
	}
	source := Source{Name: "test", Rows: func(yield func(revise.Record, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}}
	dir := t.TempDir()
	r, err := Write(filepath.Join(dir, "set"), source, Options{Format: SFT, Encoding: Parquet, Hygiene: true, ShardBytes: 1e6})
	if !errors.Is(err, ErrEmpty) || r.LeftOut[Flagged] != 2 || r.LeftOut[Failed] != 1 || r.Flags[check.Cut] != 2 || len(r.Flags) != 1 {
		t.Errorf("%v, %+v", err, r)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
	tally := NewTally(SFT)
	for _, rec := range rows {
		tally.Add(&rec)
	}
	if tally.Usable != 0 || tally.LeftOut[Flagged] != 2 || tally.LeftOut[Failed] != 1 || tally.Flags[check.Cut] != 2 {
		t.Errorf("the tally differs: %+v", tally)
	}
}

// A tally counts apart what was revised, and what passed is what a set would have.
func TestTally(t *testing.T) {
	answers := func(texts ...string) *revise.Record {
		rec := &revise.Record{}
		for i, text := range texts {
			kind := revise.Revision
			if i == 0 {
				kind = revise.Response
			}
			rec.Turns = append(rec.Turns, revise.Turn{Kind: kind, Round: i, Text: text})
		}
		return rec
	}
	flagged := answers("a", "b", "c")
	flagged.Turns[2].Flags = []check.Flag{check.CritiqueAsRevision}
	tally := NewTally(SFT)
	for _, rec := range []*revise.Record{answers("a", "c"), answers("a", "b"), answers("a"), flagged, answers("a", "a")} {
		tally.Add(rec)
	}
	if tally.Usable != 4 || tally.Revised != 3 || tally.LeftOut[Unchanged] != 1 {
		t.Errorf("%+v", tally)
	}
	if passed, ok := Passed(flagged); !ok || passed.Text != "b" {
		t.Errorf("%v, %v", passed.Text, ok)
	}
	if _, ok := Passed(answers("a", "a")); ok {
		t.Error("a revision that is the first response again passed")
	}
}

// TestCountsAddUp: every row is taken or left out for one reason, and every flagged row is counted under one flag, whatever the
// options.
func TestCountsAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	flags := append([]check.Flag{"", "", check.Unchanged}, Faults()...)
	var rows []revise.Record
	for i := range 60 {
		rec := trace(fmt.Sprint(i), "no", "yes", "better")
		for turn := range rec.Turns {
			rec.Turns[turn].Flags = nil
			for range random.IntN(3) {
				if f := flags[random.IntN(len(flags))]; f != "" {
					rec.Turns[turn].Flags = append(rec.Turns[turn].Flags, f)
				}
			}
			if random.IntN(4) == 0 {
				rec.Turns[turn].Text = "no"
			}
		}
		if random.IntN(6) == 0 {
			rec.Error = "too long"
		}
		rows = append(rows, rec)
	}
	for _, f := range Formats() {
		for _, o := range []Options{
			{}, {Hygiene: true}, {Hygiene: true, DropUnchanged: true}, {Hygiene: true, MaxChars: 25, Disjoint: f != Raw},
			{Hygiene: true, Principles: []string{"p1"}, NearDuplicates: 0.1}, {AllRevisions: f == SFT, MaxChars: 25},
		} {
			o.Format = f
			_, r := write(t, o, rows...)
			left, flagged := 0, 0
			for _, n := range r.LeftOut {
				left += n
			}
			for _, n := range r.Flags {
				flagged += n
			}
			if r.Read != len(rows) || r.Taken+left != r.Read || flagged != r.LeftOut[Flagged]+r.LeftOut[RejectedFlagged] || r.Taken == 0 {
				t.Errorf("%+v: of %d rows %d are taken, left out %v, flags %v", o, r.Read, r.Taken, r.LeftOut, r.Flags)
			}
		}
	}
}
