package app

import (
	"context"
	"encoding/json"
	"testing"

	"amend/cmd/amend/internal/worker"
)

// phasesOf are the phases that progress goes through.
func phasesOf(told []Progress) (phases []Phase) {
	for _, p := range told {
		if len(phases) == 0 || phases[len(phases)-1] != p.Phase {
			phases = append(phases, p.Phase)
		}
	}
	return phases
}

// TestReporter: turns that are stored count as done before, and a row that ends early or late corrects how many there will
// be.
func TestReporter(t *testing.T) {
	const row, turn, stored = "row", "turn", "stored"
	for _, c := range []struct {
		of, before int // turns
		events     []string
		unused     int // turns of each row
		want       Progress
	}{
		{0, 0, []string{turn, row}, 0, Progress{}},
		{9, 3, []string{turn, turn, stored}, 0, Progress{Turns: 6, TurnsOf: 9, TurnsBefore: 4}},
		{9, 0, []string{turn, row}, 2, Progress{Turns: 1, TurnsOf: 7}},
		{9, 0, []string{turn, turn, turn, turn, turn, row}, -2, Progress{Turns: 5, TurnsOf: 11}},
		{2, 0, []string{turn, turn, turn}, 0, Progress{Turns: 3, TurnsOf: 3}},
		{9, 0, []string{turn, row, turn, row}, 9, Progress{Turns: 2, TurnsOf: 2}},
		{9, 0, []string{turn, row, turn, row, turn, row}, 0, Progress{Turns: 3, TurnsOf: 3}},
	} {
		got := reported(t, func(r *reporter) {
			r.count(3, 0)
			r.countTurns(c.of, c.before)
			for _, e := range c.events {
				if e == row {
					r.unit(false, c.unused)
				} else {
					r.turn(e == stored)
				}
			}
			r.enter(Working)
		})
		if got.Turns != c.want.Turns || got.TurnsOf != c.want.TurnsOf || got.TurnsBefore != c.want.TurnsBefore {
			t.Errorf("%d turns, %v: %+v, want %+v", c.of, c.events, got, c.want)
		}
	}
}

// TestReporterFindsKept: a unit that turns out to be done already takes no time, so it tells nothing of how long the others do.
func TestReporterFindsKept(t *testing.T) {
	got := reported(t, func(r *reporter) {
		r.count(4, 1)
		r.unitBefore()
		r.unit(false, 0)
		r.enter(Working)
	})
	if got.Done != 3 || got.Before != 2 {
		t.Errorf("%+v", got)
	}
}

// reported is what a worker told last.
func reported(t *testing.T, work func(*reporter)) (last Progress) {
	t.Helper()
	spawner := worker.Spawner{Here: map[string]worker.Handler{"job": func(_ context.Context, _ worker.Job, parent *worker.Client) ([]byte, error) {
		work(newReporter(parent, "row"))
		return json.Marshal(0)
	}}}
	host := worker.Host{Notify: Env{Progress: func(p Progress) { last = p }}.notify}
	if _, err := worker.Do[int](t.Context(), spawner, "job", 0, host); err != nil {
		t.Fatal(err)
	}
	return last
}
