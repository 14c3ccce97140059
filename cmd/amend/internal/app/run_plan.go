package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"amend/cmd/amend/internal/worker"
	"amend/engine/prompts"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// RunPlan is what a run would do.
type RunPlan struct {
	Out     string           `json:"out"`
	Stage   string           `json:"stage,omitempty"`  // which of two, where first responses are by another model or adapter
	InUse   *runstore.Holder `json:"in_use,omitempty"` // the process that is writing to the run
	Changed []string         `json:"changed"`          // inputs and settings that differ from the run's; redo takes them
	Done    int              `json:"done"`             // rows that stay as they are
	revise.Plan
	Seconds  float64   `json:"seconds,omitempty"`  // an estimate from the time of this run's earlier turns; 0 without any
	Forecast *Forecast `json:"forecast,omitempty"` // an estimate from the speed of some steps now; nil where nothing is to be computed
}

// PlanRun says what Run would do, and how long that may take: for two seconds it times the model, unless nothing is left to
// do. Of a run of two stages it plans the first, or the second if the first is done.
func PlanRun(ctx context.Context, env Env, c RunConfig) (RunPlan, error) {
	set, stages, err := env.beginRun(ctx, c)
	if err != nil {
		return RunPlan{}, err
	}
	p, err := env.planStages(ctx, stages, set)
	if err != nil {
		return p, err
	}
	p.InUse, err = runstore.Held(c.Out)
	return p, err
}

func (e Env) planStages(ctx context.Context, stages []stage, set *prompts.Set) (RunPlan, error) {
	p, err := e.planStage(ctx, stages[0], set)
	if err != nil || len(stages) == 1 {
		return p, err
	}
	p.Stage = "first responses"
	if len(p.Changed) == 0 && p.Rows == 0 {
		p, err = e.planStage(ctx, stages[1], set)
		p.Stage = "critiques and revisions"
	}
	return p, err
}

func (e Env) planStage(ctx context.Context, s stage, set *prompts.Set) (p RunPlan, err error) {
	in, err := e.readInputs(s, set)
	if err != nil {
		return p, err
	}
	return e.planInputs(ctx, in)
}

// planInputs plans what has been read. Without a run directory it is a new run.
func (e Env) planInputs(ctx context.Context, in inputs) (p RunPlan, err error) {
	p = RunPlan{Out: in.job.Config.Out, Changed: []string{}}
	in.job.Plan = true
	h := &planHost{env: e, in: in, dir: p.Out, changed: []string{}}
	defer func() { err = errors.Join(err, h.close()) }()
	if finished, err := h.finished(ctx); err != nil || finished {
		p.Done = len(in.job.rows())
		return p, err
	}
	out, err := worker.Do[computed](ctx, e.spawner(), jobRun, in.job, h.host())
	if err != nil {
		return p, decodeFailure(ctx, err)
	}
	p.Plan, p.Done, p.Changed, p.Forecast = out.Plan, out.Before, h.changed, out.Forecast
	if h.snapshot != nil {
		p.Seconds = h.snapshot.Manifest.Measured.TurnSeconds * float64(p.Turns)
	}
	return p, nil
}

// planHost is the parent's side of a plan: it only reads the run directory.
type planHost struct {
	env      Env
	in       inputs
	dir      string             // empty: there is none
	snapshot *runstore.Snapshot // nil: there is no run
	changed  []string           // inputs and settings that differ from the run's
}

func (h *planHost) host() worker.Host {
	return worker.Host{
		Unit: "row", Log: h.env.Log, Notify: h.env.notify,
		PutAside: func(id, why string) error { return fmt.Errorf("planning row %s: %s", id, why) },
		Methods: worker.Methods{
			methodPrevious: worker.NewMethod(func(worker.Nothing) ([]byte, error) { return h.in.previousText() }),
			methodOpen:     worker.NewMethod(h.open),
			methodGet:      worker.NewMethod(h.get),
		},
	}
}

// open compares the run that is there with what it would be continued with.
func (h *planHost) open(manifest []byte) (o opened, err error) {
	o.Manifest = manifest
	var m runstore.Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		return o, fmt.Errorf("reading the worker's manifest: %w", err)
	}
	if err := h.look(); err != nil || h.snapshot == nil {
		return o, err
	}
	h.changed = h.changed[:0]
	for _, c := range h.changes(m.Results) {
		h.changed = append(h.changed, c.String())
	}
	if len(h.changed) == 0 {
		o.Done, err = h.done()
	}
	return o, err
}

// look opens the run that is there, if it is not open yet.
func (h *planHost) look() (err error) {
	if h.snapshot != nil || h.dir == "" {
		return nil
	}
	if h.snapshot, err = runstore.Look(h.dir); errors.Is(err, runstore.ErrNotARun) {
		return nil // a new one
	}
	return err
}

// changes are what the run's results would be made with now, and were not then.
func (h *planHost) changes(now runstore.Results) []runstore.Change {
	now.LogitBias = sameBias(&h.snapshot.Manifest, now.LogitBias)
	return h.snapshot.Changes(runstore.Manifest{Results: now})
}

// done are the rows that the run would not do again.
func (h *planHost) done() (ids []string, err error) {
	if !h.in.job.Config.RetryFailed {
		return h.snapshot.IDs(), nil
	}
	for rec, err := range h.snapshot.Rows() {
		if err != nil {
			return nil, err
		}
		if rec.Error == "" {
			ids = append(ids, rec.ID)
		}
	}
	return ids, nil
}

func (h *planHost) get(key revise.Key) (storedTurn, error) {
	if h.snapshot == nil {
		return storedTurn{}, nil
	}
	o, ok, err := h.snapshot.Get(key)
	return packTurn(key, o, ok), err
}

func (h *planHost) close() error {
	if h.snapshot == nil {
		return nil
	}
	return h.snapshot.Close()
}
