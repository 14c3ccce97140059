package render

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"charm.land/log/v2"

	"amend/cmd/amend/internal/app"
)

// TestProgressLine: a line names its phase, has numbers in narrow terminals, fits any, and estimates by the turns that were
// computed here.
func TestProgressLine(t *testing.T) {
	work := app.Progress{Unit: "row", Done: 100, Of: 600, Before: 90, Turns: 330, TurnsOf: 1800, TurnsBefore: 300, DecodeTokS: 41}
	failed, unknown, pairs, preamble := work, work, work, work
	failed.Failed = 2
	unknown.Turns = unknown.TurnsBefore
	pairs.Unit, pairs.TurnsOf, pairs.DecodeTokS = "pair", 0, 0
	preamble.Phase, preamble.PhaseOf, preamble.PhaseThing = app.Preamble, 1437, "token"
	part := preamble
	part.PhaseDone = 512
	large := app.Progress{Unit: "row", Done: 12345, Of: 60000, Failed: 12, Turns: 100000, TurnsOf: 300000, DecodeTokS: 2505}
	done := app.Progress{Unit: "row", Done: 8, Of: 8, Turns: 24, TurnsOf: 24}
	watch := stopwatch{total: 75 * time.Second, entered: 63 * time.Second, began: 15 * time.Second, reached: 73 * time.Second, done: 512}
	for _, c := range []struct {
		state app.Progress
		width int
		stays bool
		want  string
	}{
		{app.Progress{Phase: app.Loading}, 80, false, "loading model, 12s"},
		{app.Progress{Phase: app.Loading}, 16, false, "loading model"},
		{preamble, 80, false, "[------------------------] preamble, 0/1437 tokens, 12s"},
		{preamble, 20, false, "preamble, 12s"},
		{part, 80, false, "[########----------------] preamble, 512/1437 tokens, ETA 16s"},
		{part, 40, false, "preamble, 512/1437 tokens, ETA 16s"},
		{part, 20, false, "preamble, ETA 16s"},
		{work, 120, false, "[####--------------------] 100/600 rows, 330/1800 turns, ETA 49m0s, 41 tok/s"},
		{work, 80, false, "[####--------------------] 100/600 rows, 330/1800 turns, ETA 49m0s, 41 tok/s"},
		{failed, 80, false, "[###--------------] 100/600 rows, 330/1800 turns, 2 failed, ETA 49m0s, 41 tok/s"},
		{failed, 60, false, "100/600 rows, 330/1800 turns, 2 failed, ETA 49m0s, 41 tok/s"},
		{work, 50, false, "100/600 rows, 330/1800 turns, ETA 49m0s, 41 tok/s"},
		{work, 49, false, "100/600 rows, 330/1800 turns, ETA 49m0s"},
		{large, 80, false, "[######------------] 12345/60000 rows, 100000/300000 turns, 12 failed, ETA 2m0s"},
		{work, 30, false, "330/1800 turns, ETA 49m0s"},
		{work, 20, false, "330/1800 turns"},
		{work, 8, false, "330/180"},
		{work, 1, false, ""},
		{unknown, 60, false, "[##------------] 100/600 rows, 300/1800 turns, 1m15s so far"},
		{pairs, 60, false, "[####--------------------] 100/600 pairs, ETA 50m0s"},
		{done, 80, true, "[########################] 8/8 rows, 24/24 turns, took 1m15s"},
		{preamble, 80, true, "[####--------------------] 100/600 rows, 330/1800 turns, took 1m15s, 41 tok/s"},
		{app.Progress{Unit: "row"}, 80, false, "0/0 rows, 1m15s so far"},
	} {
		if got := liveLine(c.state, watch, c.width, c.stays); got != c.want {
			t.Errorf("%+v in %d columns:\n%q, want\n%q", c.state, c.width, got, c.want)
		}
		for width := 1; width < 130; width++ {
			if got := liveLine(c.state, watch, width, c.stays); len(got) >= width {
				t.Errorf("%+v does not fit %d columns: %q", c.state, width, got)
			}
		}
	}
	if got, want := plainLine(part, watch), "preamble, 512/1437 tokens, ETA 16s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := plainLine(failed, watch), "100/600 rows, 330/1800 turns, 2 failed, ETA 49m0s, 41 tok/s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestStopwatch: the clock stands still while the process is stopped, and the units' own begins with them, again for each
// model.
func TestStopwatch(t *testing.T) {
	now := time.Unix(1e9, 0)
	w := stopwatch{last: now}
	for _, c := range []struct {
		after              time.Duration
		enter              app.Phase
		total, phase, work time.Duration
	}{
		{time.Second, app.Loading, 1, 0, 1},
		{time.Second, app.Preamble, 2, 0, 2},
		{2 * time.Second, app.Working, 4, 0, 0},
		{time.Hour, app.Working, 4, 0, 0},
		{time.Second, app.Preamble, 5, 0, 1},
		{time.Second, app.Working, 6, 0, 2},
		{-time.Hour, app.Working, 6, 0, 2},
		{time.Second, app.Loading, 7, 0, 3},
		{time.Second, app.Loading, 8, 1, 4},
		{time.Second, app.Working, 9, 0, 0},
	} {
		now = now.Add(c.after)
		w.enter(c.enter, now)
		if w.total != c.total*time.Second || w.phase() != c.phase*time.Second || w.work() != c.work*time.Second {
			t.Errorf("after %v in %q: total %v, phase %v, work %v, want %+v", c.after, c.enter, w.total, w.phase(), w.work(), c)
		}
	}
}

// TestStopwatchOfAPhase: what is left of a phase gets less while nothing more of it is done, and begins anew with another
// phase.
func TestStopwatchOfAPhase(t *testing.T) {
	now := time.Unix(1e9, 0)
	w := stopwatch{last: now}
	for _, c := range []struct {
		enter      app.Phase
		done, left int // seconds
	}{
		{app.Measuring, 0, 0}, {app.Measuring, 25, 3}, {app.Measuring, 25, 2}, {app.Measuring, 75, 1}, {app.Measuring, 75, 0}, {app.Measuring, 75, 0},
		{app.Preamble, 0, 0}, {app.Preamble, 50, 1},
	} {
		w.enter(c.enter, now)
		if w.note(c.done); c.done > 0 && w.left(100-c.done) != time.Duration(c.left)*time.Second {
			t.Errorf("%q, %d %% done: %v left, want %ds", c.enter, c.done, w.left(100-c.done), c.left)
		}
		now = now.Add(time.Second)
	}
}

// TestPlainProgress: where there is no terminal a line is logged every so often, and what others write is passed on as it
// is. None says nothing.
func TestPlainProgress(t *testing.T) {
	for mode, want := range map[string]string{ProgressAuto: "^INFO  loading model, \\d+s\nof others$", ProgressPlain: "^INFO  loading model, \\d+s\nof others$", ProgressNone: "^of others$"} {
		var out bytes.Buffer
		p := NewProgress(mode, &out, log.New(&out))
		p.Update(app.Progress{Phase: app.Loading})
		if mode != ProgressNone {
			p.tick(p.said.Add(plainEvery))
		}
		if _, err := p.Write([]byte("of others")); err != nil {
			t.Fatal(err)
		}
		p.Close()
		p.Close()
		if !regexp.MustCompile(want).MatchString(out.String()) || strings.ContainsAny(out.String(), "\r\x1b") {
			t.Errorf("%s: %q", mode, out.String())
		}
	}
}
