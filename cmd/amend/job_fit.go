package main

import (
	"context"
	"fmt"
	"runtime"

	"amend/cmd/amend/internal/local"
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
		if demand.Layout == local.Auto {
			demand.Layout = local.Layout(old.Setup.KV)
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
	if continued || demand.AttachFrom == 0 || demand.Preamble == 0 || j.steps(demand.Rows) < worthCalibrating*local.AttachSteps ||
		demand.Trained <= local.AttachTokens { // positions beyond may not be in the model
		return nil
	}
	costs, err := local.MeasureAttach(ctx, j.model, kind, min(j.size.Parallel(), local.MaxParallel))
	if err != nil {
		return err
	}
	j.attach, demand.AttachFrom = &costs, costs.Worth()
	return j.fit(demand, kind)
}

// demand is what the run's rows ask for.
func (j *job) demand(ctx context.Context) (local.Demand, error) {
	o := j.options
	d := local.Demand{
		Context: o.context, Parallel: o.parallel, Layout: local.Layout(o.kv), Rows: len(j.set.Rows), Preamble: j.preamble(),
		Trained: j.model.CtxTrain(), BytesPerToken: j.file.KVBytesPerToken,
	}
	for _, r := range j.set.Rows {
		need, shares, err := j.loopOf(r).Need(ctx, r)
		if ctx.Err() != nil {
			return d, ctx.Err()
		}
		if err != nil {
			continue // the row fails by itself when it is begun
		}
		d.Need = max(d.Need, need)
		if !shares {
			d.Alone = max(d.Alone, need)
		}
	}
	if d.Layout == local.Auto && (o.deterministic || j.model.SWA() > 0) {
		d.Layout = local.Streams // shared cells round otherwise, and windows lose them
	}
	var err error
	d.FreeMemory, err = local.FreeMemory(j.file.SizeBytes, o.gpuLayers)
	return d, err
}

// kind is how the context computes, without its sizes.
func (j *job) kind() (s local.Size, err error) {
	o := j.options
	s.Unified = local.Layout(o.kv) == local.Unified
	if s.Threads = o.threads; o.threads == 0 {
		s.Threads = runtime.GOMAXPROCS(0)
	}
	if s.TypeK, err = local.ChooseKVType(o.kvType, j.file.Quantization, j.model, o.gpuLayers); err != nil {
		return s, usage(err)
	}
	s.FlashAttn, err = local.FlashAttention(o.gpuLayers)
	return s, err
}

// attachFrom is the shortest preamble that rows read without holding it, where
// that is not measured; 0 where they cannot. Under --deterministic they do not:
// what is shared and what is a row's own are summed apart.
func (j *job) attachFrom(kind local.Size) (int, error) {
	if j.options.deterministic {
		return 0, nil
	}
	why, err := local.WhyCopied(j.model, kind)
	if err != nil || why != "" {
		return 0, err
	}
	return local.WorthAttaching, nil
}

// fit chooses the sizes of a context of this kind.
func (j *job) fit(d local.Demand, kind local.Size) (err error) {
	if most := j.options.atMost; most > 0 && (d.Parallel == 0 || d.Parallel > most) {
		d.Parallel = most
	}
	if j.size, err = local.Fit(d); err != nil {
		return usage(err)
	}
	j.size.TypeK, j.size.FlashAttn, j.size.Threads = kind.TypeK, kind.FlashAttn, kind.Threads
	if least := j.preamble() + j.options.maxTokens; j.size.Limit <= least {
		return usage(fmt.Errorf("a row may hold %d tokens, and the few-shots of %s with a turn of --max-tokens take %d already: raise --ctx, or bring a model with a longer context", j.size.Limit, j.doc.Name, least))
	}
	return nil
}
