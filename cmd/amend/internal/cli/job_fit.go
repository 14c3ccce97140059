package cli

import (
	"context"
	"fmt"

	"amend/cmd/amend/internal/runner"
	"amend/engine/runstore"
)

// fitContext chooses the sizes of the context from what the rows need and the
// memory there is.
func (j *job) fitContext(ctx context.Context) error {
	demand, err := j.demand(ctx)
	if err != nil {
		return err
	}
	kind, err := j.kind()
	if err != nil {
		return err
	}
	old, _, oldErr := runstore.Read(j.options.out)
	continued := oldErr == nil
	if o := j.options; continued && !o.redo && !o.retryFailed && o.parallel == 0 && o.context == 0 && old.Setup.Rows == len(j.set.Rows) {
		// What was measured to choose a setting is measured once. Other settings, and rows that failed, may need more room.
		demand.Parallel, demand.Context = old.Setup.Parallel, old.Setup.Context
		if demand.Layout == runner.Auto {
			demand.Layout = runner.Layout(old.Setup.KV)
		}
	}
	if demand.AttachFrom, err = j.attachFrom(kind); err != nil {
		return err
	}
	if continued && demand.AttachFrom > 0 && old.Measured.Attach != nil {
		demand.AttachFrom = old.Measured.Attach.Worth()
	}
	if err := j.fit(demand, kind); err != nil {
		return err
	}
	if continued || demand.AttachFrom == 0 || demand.Preamble == 0 || j.steps(demand.Rows) < worthCalibrating*runner.AttachSteps ||
		demand.Trained <= runner.AttachTokens { // positions beyond may not be in the model
		return nil
	}
	costs, err := runner.MeasureAttach(ctx, j.model, kind, min(j.size.Parallel(), runner.MaxParallel))
	if err != nil {
		return err
	}
	j.attach, demand.AttachFrom = &costs, costs.Worth()
	return j.fit(demand, kind)
}

// demand is what the run's rows ask for.
func (j *job) demand(ctx context.Context) (runner.Demand, error) {
	d, err := j.session.demand()
	if err != nil {
		return d, err
	}
	d.Rows, d.Preamble = len(j.set.Rows), j.preamble()
	if j.gate != nil { // a row's own conversation, and a judgement in either order
		d.PerRow, d.Preambles = 3, 2
	}
	for _, r := range j.set.Rows {
		need, err := j.loopOf(r).Need(ctx, r)
		if ctx.Err() != nil {
			return d, ctx.Err()
		}
		if err != nil {
			continue // the row fails by itself when it is begun
		}
		d.Need, d.Unshared = max(d.Need, need.Tokens), max(d.Unshared, need.Unshared)
	}
	return d, nil
}

// fit chooses the sizes of a context of this kind.
func (j *job) fit(d runner.Demand, kind runner.Size) error {
	if most := j.options.atMost; most > 0 && (d.Parallel == 0 || d.Parallel > most) {
		d.Parallel = most
	}
	if err := j.session.fit(d, kind); err != nil {
		return err
	}
	if least := j.preamble() + j.options.maxTokens; j.size.Limit <= least {
		return usage(fmt.Errorf("a row may hold %d tokens, and the few-shots of %s with a turn of --max-tokens take %d already: raise --ctx, or bring a model with a longer context", j.size.Limit, j.doc.Name, least))
	}
	if j.gate != nil && j.size.Limit <= len(j.gate.Judge.Prefix()) {
		return usage(fmt.Errorf("a row may hold %d tokens, and the worked judgements of %s, which the gate needs, take %d already: raise --ctx, or bring a model with a longer context", j.size.Limit, j.doc.Name, len(j.gate.Judge.Prefix())))
	}
	return nil
}
