package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"amend/engine"
	"amend/engine/revise"
)

// run does the rows that are not done yet.
func (j *job) run(ctx context.Context) error {
	var todo []revise.Row
	for _, r := range j.set.Rows {
		if !j.store.Done(r.ID) {
			todo = append(todo, r)
		}
	}
	j.finishedBefore = len(j.set.Rows) - len(todo)
	j.log.Info("running", "model", j.file.Name, "rows", len(todo), "done before", j.finishedBefore,
		"alive at once", j.size.Parallel(), "tokens a row", j.size.Limit, "preamble", j.preamble())
	j.shown = newProgress(j.options.progress, j.stderr, j.log, len(j.set.Rows), j.finishedBefore)
	defer j.shown.close(j.stderr)
	if len(todo) == 0 {
		return nil
	}
	begun, before := time.Now(), j.store.Remembered()
	defer func() {
		if n := j.store.Remembered() - before; n > 0 {
			j.turnSeconds = time.Since(begun).Seconds() / float64(n)
		}
	}()
	defer context.AfterFunc(ctx, func() {
		j.log.Info("finishing the turns that are under way; the same signal again stops at once")
	})()
	alone, rest := j.apart(todo)
	if err := j.runRows(ctx, alone, 1); err != nil {
		return err
	}
	return j.runRows(ctx, rest, j.size.Parallel())
}

// apart takes out the rows that are to run alone: one of them may have killed a process before this.
func (j *job) apart(rows []revise.Row) (alone, rest []revise.Row) {
	for _, r := range rows {
		if slices.Contains(j.store.Orders().Alone, r.ID) {
			alone = append(alone, r)
		} else {
			rest = append(rest, r)
		}
	}
	return alone, rest
}

// runRows does some rows, up to parallel of them at once.
func (j *job) runRows(ctx context.Context, rows []revise.Row, parallel int) error {
	for k, group := range j.byPreamble(rows) {
		if err := j.runGroup(ctx, j.loops[k], group, parallel); err != nil {
			return err
		}
		j.engine.Unpin() // makes room for the next preamble
	}
	return nil
}

// byPreamble groups rows by the preamble that they share, in the order of j.loops.
func (j *job) byPreamble(rows []revise.Row) [][]revise.Row {
	groups := make([][]revise.Row, len(j.loops))
	for _, r := range rows {
		k := j.preambleOf(r)
		groups[k] = append(groups[k], r)
	}
	return groups
}

// runGroup does the rows of one preamble.
func (j *job) runGroup(ctx context.Context, l *revise.Loop, rows []revise.Row, parallel int) error {
	if len(rows) == 0 {
		return nil
	}
	if err := j.engine.Pin(ctx, l.Prefix()); err != nil {
		return fmt.Errorf("computing the preamble: %w", err)
	}
	if j.gate != nil {
		if err := j.engine.Pin(ctx, j.gate.Judge.Prefix()); err != nil {
			return fmt.Errorf("computing the judge's preamble: %w", err)
		}
	}
	if err := j.speculate(ctx, l.Prefix(), len(j.set.Rows)-j.finishedBefore); err != nil {
		return err
	}
	var lost error // the supervisor could not be told
	next := revise.Rows(rows)
	err := l.Run(ctx, j.engine, parallel, func() (revise.Row, bool) {
		r, ok := next()
		if ok {
			lost = j.store.Begin(r)
		}
		return r, ok && lost == nil
	}, j.save)
	return errors.Join(err, lost)
}

// save takes a row that has ended.
func (j *job) save(rec revise.Record) error {
	if rec.Error != "" {
		j.log.Warn("a row failed", "row", rec.ID, "why", rec.Error)
	}
	j.shown.row(rec.Error != "")
	if err := j.store.Append(rec); err != nil {
		return &exitError{exitStopped, err} // what is on disk is whole: it can be continued
	}
	return nil
}

// worthCalibrating is how many times its own cost a run must be for something to
// be measured that makes it faster.
const worthCalibrating = 20

// steps is the most decode steps that rows can take.
func (j *job) steps(rows int) int {
	turns := 1 + 2*j.options.revisions
	return (rows + j.size.Parallel() - 1) / j.size.Parallel() * turns * j.options.maxTokens
}

// speculate lets turns try guessed tokens where that pays by the costs of a
// step, which are measured once for a run.
func (j *job) speculate(ctx context.Context, prefix []engine.Token, rows int) error {
	costs := j.store.Manifest().Measured.StepCosts
	if !j.options.speculate || (len(costs) == 0 && j.steps(rows) < worthCalibrating*engine.CalibrationSteps) {
		return nil
	}
	if len(costs) == 0 {
		var err error
		if costs, err = j.engine.Calibrate(ctx, prefix, j.size.Parallel()); err != nil {
			return err
		}
		measured := j.store.Manifest().Measured
		measured.StepCosts = costs
		if err := j.store.Measure(measured); err != nil {
			return &exitError{exitStopped, err}
		}
	}
	j.engine.Speculate(costs)
	return nil
}
