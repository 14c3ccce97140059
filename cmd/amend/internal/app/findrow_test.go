package app

import (
	"strings"
	"testing"

	"amend/engine/revise"
)

func TestFindRow(t *testing.T) {
	rows := func(yield func(revise.Record, error) bool) {
		for i, id := range []string{"7", "harm-01", "harm-012", "harm-3", "deadbeef", "0f"} {
			if !yield(revise.Record{ID: id, Index: i}, nil) {
				return
			}
		}
	}
	run := StoredRun{Dir: "run", Rows: rows}
	for name, want := range map[string]string{
		"7": "7", "3": "harm-3", "0": "7", "harm-01": "harm-01", "harm-012": "harm-012", "harm-3": "harm-3", "dead": "deadbeef", "0f": "0f",
	} {
		if rec, err := FindRow(run, name); err != nil || rec.ID != want {
			t.Errorf("row %s: got %q, %v, want %q", name, rec.ID, err, want)
		}
	}
	for name, want := range map[string]string{
		"harm-0": "2 rows whose id begins with \"harm-0\" (harm-01, harm-012):", "harm-4": "the nearest are harm-", "hram-3": "harm-3", "99": "among its 6; their numbers begin with 0 (amend",
	} {
		if _, err := FindRow(run, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("row %s: %v, want %q in it", name, err, want)
		}
	}
}

func TestFindRowInARunThatHasJustBegun(t *testing.T) {
	run := StoredRun{Dir: "run", Rows: func(func(revise.Record, error) bool) {}}
	if _, err := FindRow(run, "1"); err == nil || !strings.Contains(err.Error(), "no finished rows yet") {
		t.Fatal(err)
	}
}
