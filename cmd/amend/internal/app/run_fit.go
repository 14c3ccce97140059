package app

import (
	"context"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/worker"
)

// fit chooses the sizes of the context from what the rows need and the memory there is.
func (c *runComputation) fit(ctx context.Context, limits worker.Limits) error {
	r := c.job.Config
	kind, err := c.model.Kind(r.Context)
	if err != nil {
		return err
	}
	demand, err := c.demand(ctx)
	if err != nil {
		return err
	}
	old := c.previous
	if old != nil && !r.Redo && !r.RetryFailed && r.Context.Parallel == 0 && r.Compute.Context == 0 && old.Setup.Rows == len(c.rows) {
		// A run that goes on keeps its sizes. After Redo or RetryFailed rows may need more room.
		demand.Parallel, demand.Context = old.Setup.Parallel, old.Setup.Context
		if demand.Layout == runner.Auto {
			demand.Layout = runner.Layout(old.Setup.KV)
		}
	}
	if most := limits.AtMost; most > 0 && (demand.Parallel == 0 || demand.Parallel > most) {
		demand.Parallel = most
	}
	if demand.AttachFrom, err = c.model.AttachFrom(kind); err != nil {
		return err
	}
	if old != nil && demand.AttachFrom > 0 && old.Measured.Attach != nil {
		demand.AttachFrom = old.Measured.Attach.Worth()
	}
	return c.fitDemand(demand, kind)
}

// demand is what the run's rows ask for.
func (c *runComputation) demand(ctx context.Context) (runner.Requirements, error) {
	d, err := c.model.Requirements(c.job.Config.Context)
	if err != nil {
		return d, err
	}
	d.Rows, d.Preamble = len(c.rows), c.preamble()
	d.PerRow, d.Preambles = 1, 1 // a row's own conversation
	if c.gate != nil {           // a judgement in either order
		d.PerRow, d.Preambles = d.PerRow+2, d.Preambles+1
	}
	if c.inspector != nil {
		d.PerRow, d.Preambles = d.PerRow+1, d.Preambles+1
	}
	c.progress.enterCounted(Measuring, len(c.rows), "row")
	for i, r := range c.rows {
		need, err := c.loops[c.preambleOf(r)].Need(ctx, r)
		if ctx.Err() != nil {
			return d, ctx.Err()
		}
		if err != nil {
			continue // the row fails by itself when it is begun
		}
		d.Need, d.Unshared = max(d.Need, need.Tokens), max(d.Unshared, need.Unshared)
		c.progress.part(i+1, len(c.rows))
	}
	return d, nil
}

// preamble is the length of the longest preamble, in tokens.
func (c *runComputation) preamble() int {
	longest := 0
	for _, l := range c.loops {
		longest = max(longest, len(l.Prefix()))
	}
	return longest
}

// fitDemand chooses the sizes of a context of this kind.
func (c *runComputation) fitDemand(d runner.Requirements, kind runner.ContextPlan) (err error) {
	if c.size, err = c.model.Plan(d, kind); err != nil {
		return err
	}
	name := c.document.Name
	if least := c.preamble() + c.job.Config.MaxTokens; c.size.Limit <= least {
		return failure.Inputf("a context of %d tokens is too small: the demonstrations of %s plus max-tokens need more than %d; raise ctx, or use a model with a longer context", c.size.Limit, name, least)
	}
	for _, judge := range c.judges() {
		if worked := len(judge.Prefix()); c.size.Limit <= worked {
			return failure.Inputf("a context of %d tokens is too small: the worked judgements of %s, which the judge needs, take %d; raise ctx, or use a model with a longer context", c.size.Limit, name, worked)
		}
	}
	return nil
}

// worthCalibrating is how many times longer than a measurement a run must be for the measurement to pay.
const worthCalibrating = 20

// steps is the most decode steps that rows can take.
func (c *runComputation) steps(rows int) int {
	turns, alive := 1+2*c.job.Config.Revisions, c.size.Parallel()
	return (rows + alive - 1) / alive * turns * c.job.Config.MaxTokens
}
