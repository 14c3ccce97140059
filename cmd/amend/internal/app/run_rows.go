package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/worker"
	"amend/engine"
	"amend/engine/revise"
)

// run does the rows that are not done yet.
func (c *runComputation) run(ctx context.Context, limits worker.Limits) (out computed, err error) {
	if c.engine, err = c.model.NewEngine(c.size, c.job.Config.Context.PreambleCache, func() { c.progress.step(c.engine) }); err != nil {
		return out, err
	}
	todo := c.todo()
	c.left = len(todo)
	out.Before, out.CellBytes = len(c.job.Rows)-len(todo), runner.CellBytes(c.model.Info(), c.size.TypeK)
	log := c.parent.Log()
	log.Info("running", "model", c.model.Info().Name, "rows", len(todo), "done before", out.Before,
		"alive at once", c.size.Parallel(), "tokens a row", c.size.Limit, "preamble", c.preamble())
	c.progress = newReporter(c.parent, len(c.job.Rows), out.Before)
	if len(todo) == 0 {
		return out, nil
	}
	begun := c.env.Now()
	defer context.AfterFunc(ctx, func() {
		log.Info("finishing the turns in progress; a second signal stops at once")
	})()
	alone, rest := apart(todo, func(r revise.Row) string { return r.ID }, limits.Alone)
	if err := c.runRows(ctx, alone, 1); err != nil {
		return out, err
	}
	if err := c.runRows(ctx, rest, c.size.Parallel()); err != nil {
		return out, err
	}
	out.Stats = c.engine.Stats()
	if n := *c.store.kept; n > 0 {
		out.TurnSeconds = c.env.Now().Sub(begun).Seconds() / float64(n)
	}
	return out, nil
}

// apart separates the units that must run in isolation: one of them may have crashed an earlier worker.
func apart[U any](units []U, id func(U) string, ids []string) (alone, rest []U) {
	for _, u := range units {
		if slices.Contains(ids, id(u)) {
			alone = append(alone, u)
		} else {
			rest = append(rest, u)
		}
	}
	return alone, rest
}

// runRows does some rows, up to parallel of them at once.
func (c *runComputation) runRows(ctx context.Context, rows []revise.Row, parallel int) error {
	for k, group := range c.byPreamble(rows) {
		if err := c.runGroup(ctx, c.loops[k], group, parallel); err != nil {
			return err
		}
		c.engine.Unpin() // makes room for the next preamble
	}
	return nil
}

// runGroup does the rows of one preamble.
func (c *runComputation) runGroup(ctx context.Context, l *revise.Loop, rows []revise.Row, parallel int) error {
	if len(rows) == 0 {
		return nil
	}
	if err := c.engine.Pin(ctx, l.Prefix()); err != nil {
		return fmt.Errorf("computing the preamble: %w", err)
	}
	if c.gate != nil {
		if err := c.engine.Pin(ctx, c.gate.Judge.Prefix()); err != nil {
			return fmt.Errorf("computing the judge's preamble: %w", err)
		}
	}
	if err := c.speculate(ctx, l.Prefix()); err != nil {
		return err
	}
	var lost error // the parent could not be told
	next := revise.Rows(rows)
	err := l.Run(ctx, c.engine, parallel, func() (revise.Row, bool) {
		r, ok := next()
		if ok {
			lost = c.parent.Begin(r.ID)
		}
		return r, ok && lost == nil
	}, c.save)
	return errors.Join(err, lost)
}

// save takes a row that has ended.
func (c *runComputation) save(rec revise.Record) error {
	if rec.Error != "" {
		c.parent.Log().Warn("a row failed", "row", rec.ID, "why", rec.Error)
	}
	c.progress.unit(rec.Error != "")
	return c.store.append(rec)
}

// speculate turns on drafted tokens. The costs of steps, which say when drafts pay, are measured once for a run.
func (c *runComputation) speculate(ctx context.Context, prefix []engine.Token) error {
	costs := c.store.manifest.Measured.StepCosts
	if !c.job.Config.Speculate || (len(costs) == 0 && c.steps(c.left) < worthCalibrating*engine.CalibrationSteps) {
		return nil
	}
	if len(costs) == 0 {
		var err error
		if costs, err = c.engine.Calibrate(ctx, prefix, c.size.Parallel()); err != nil {
			return err
		}
		measured := c.store.manifest.Measured
		measured.StepCosts = costs
		if err := c.store.measure(measured); err != nil {
			return err
		}
	}
	c.engine.Speculate(costs)
	return nil
}
