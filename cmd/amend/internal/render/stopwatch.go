package render

import (
	"time"

	"amend/cmd/amend/internal/app"
)

// stopwatch measures how long work takes. It stands still while the process is stopped, as by Ctrl-Z.
type stopwatch struct {
	last    time.Time // when it was looked at
	total   time.Duration
	entered time.Duration // when the phase began
	began   time.Duration // when the units began
	reached time.Duration // when the part of the phase was done that is
	done    int           // that part
	at      app.Phase
	working bool // the units have begun
}

// asleep is how long nothing must have looked at the watch for the process to have been stopped.
const asleep = 5 * time.Second

// advance adds the time since the last look.
func (w *stopwatch) advance(now time.Time) {
	if passed := now.Sub(w.last); passed > 0 && passed < asleep {
		w.total += passed
	}
	w.last = now
}

// enter notes that a phase is under way. Units begin once for each model that is loaded.
func (w *stopwatch) enter(p app.Phase, now time.Time) {
	w.advance(now)
	if p == w.at {
		return
	}
	w.at, w.entered, w.reached, w.done = p, w.total, w.total, 0
	switch {
	case p == app.Loading:
		w.working = false
	case p == app.Working && !w.working:
		w.working, w.began = true, w.total
	}
}

// note notes how much of the phase is done.
func (w *stopwatch) note(done int) {
	if done != w.done {
		w.done, w.reached = done, w.total
	}
}

// left is how long the rest of the phase will take, if all of it goes as fast as what is done.
func (w stopwatch) left(rest int) time.Duration {
	whole := float64(w.reached-w.entered) / float64(w.done) * float64(rest)
	return max(0, time.Duration(whole)-(w.total-w.reached))
}

// phase is how long the phase has taken.
func (w stopwatch) phase() time.Duration { return w.total - w.entered }

// work is how long the units have taken.
func (w stopwatch) work() time.Duration { return w.total - w.began }
