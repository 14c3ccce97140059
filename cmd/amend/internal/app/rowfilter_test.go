package app

import (
	"slices"
	"strings"
	"testing"

	"amend/engine/check"
	"amend/engine/revise"
)

func TestRowFilter(t *testing.T) {
	answer := func(kind revise.Kind, round int, principle, text string, flags ...check.Flag) revise.Turn {
		return revise.Turn{Kind: kind, Round: round, Principle: principle, Text: text, Flags: flags}
	}
	rows := []revise.Record{
		{ID: "same", Turns: []revise.Turn{answer(revise.Response, 0, "", "a", check.Cut), answer(revise.Revision, 1, "kind", "a", check.Unchanged), answer(revise.Revision, 2, "frank", "a")}},
		{ID: "first", Turns: []revise.Turn{answer(revise.Response, 0, "", "a"), answer(revise.Critique, 1, "kind", "no", check.Cut), answer(revise.Revision, 1, "kind", "b"), answer(revise.Revision, 2, "kind", "b")}},
		{ID: "back", Turns: []revise.Turn{answer(revise.Response, 0, "", "a"), answer(revise.Revision, 1, "frank", "b"), answer(revise.Revision, 2, "frank", "a", check.Cut)}},
		{ID: "failed", Error: "too long"},
	}
	oldRuns(t)
	run, err := ReadRun(t.Context(), "gated")
	if err != nil {
		t.Fatal(err)
	}
	run.Rows = func(yield func(revise.Record, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
	for _, c := range []struct {
		filter RowFilter
		want   string
	}{
		{RowFilter{Round: AnyRound}, "same first back failed"},
		{RowFilter{Round: AnyRound, Flag: check.Cut}, "same first back"},
		{RowFilter{Round: 0, Flag: check.Cut}, "same"},
		{RowFilter{Round: 2, Flag: check.Cut}, "back"},
		{RowFilter{Round: AnyRound, Changed: true}, "first"},
		{RowFilter{Round: 1, Changed: true}, "first back"},
		{RowFilter{Round: 2, Changed: true}, "back"},
	} {
		chosen, err := run.Where(c.filter)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for rec := range chosen.Rows {
			got = append(got, rec.ID)
		}
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%+v: %v, want %s", c.filter, got, c.want)
		}
	}
	// A principle and a round are those of one turn.
	frank := RowFilter{Principle: "frank", Round: 1}
	if frank.passes(&rows[0]) || !frank.passes(&rows[2]) {
		t.Error("a principle counts in another round")
	}
	for _, c := range []struct {
		filter RowFilter
		want   string
	}{
		{RowFilter{Round: AnyRound, Flag: "repeting"}, "repeating"},
		{RowFilter{Round: 3}, "the run has rounds 0 to 2"},
		{RowFilter{Round: AnyRound, Principle: "lawfull"}, "the nearest are lawful"},
	} {
		if _, err := run.Where(c.filter); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.filter, err, c.want)
		}
	}
}
