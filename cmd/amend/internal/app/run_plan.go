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
	Out     string   `json:"out"`
	Stage   string   `json:"stage,omitempty"` // which of two, where first responses are by another model or adapter
	Changed []string `json:"changed"`         // inputs and settings that differ from the run's; redo takes them
	Done    int      `json:"done"`            // rows that stay as they are
	revise.Plan
	Seconds float64 `json:"seconds,omitempty"` // about, by what a turn took in this run before; none before there was one
}

// PlanRun says what Run would do, and computes nothing. Of a run of two stages it plans the first, or the second if the
// first is done.
func PlanRun(ctx context.Context, env Env, c RunConfig) (RunPlan, error) {
	set, stages, err := env.beginRun(c)
	if err != nil {
		return RunPlan{}, err
	}
	p, err := env.planStage(ctx, stages[0], set)
	if err != nil || len(stages) == 1 {
		return p, err
	}
	p.Stage = "first responses"
	if len(p.Changed) == 0 && p.Rows == 0 {
		p, err = env.planStage(ctx, stages[1], set)
		p.Stage = "critiques and revisions"
	}
	return p, err
}

func (e Env) planStage(ctx context.Context, s stage, set *prompts.Set) (p RunPlan, err error) {
	p = RunPlan{Out: s.config.Out, Changed: []string{}}
	in, err := e.readInputs(s, set)
	if err != nil {
		return p, err
	}
	in.job.Plan = true
	payload, err := in.job.encode()
	if err != nil {
		return p, err
	}
	h := &planHost{env: e, dir: s.config.Out, changed: []string{}}
	defer func() { err = errors.Join(err, h.close()) }()
	text, err := e.do(ctx, jobRun, payload, h.host())
	if h.failed != nil {
		return p, h.failed
	}
	if err != nil {
		return p, err
	}
	var out computed
	if err := json.Unmarshal(text, &out); err != nil {
		return p, fmt.Errorf("reading the worker's plan: %w", err)
	}
	p.Plan, p.Done, p.Changed = out.Plan, out.Before, h.changed
	if h.snapshot != nil {
		p.Seconds = h.snapshot.Manifest.Measured.TurnSeconds * float64(p.Turns)
	}
	return p, nil
}

// planHost is the parent's side of a plan: it only reads the run directory.
type planHost struct {
	env      Env
	dir      string
	snapshot *runstore.Snapshot // nil: there is no run
	changed  []string           // inputs and settings that differ from the run's
	failed   error
}

func (h *planHost) host() worker.Host {
	return worker.Host{
		Unit: "row", Log: h.env.Log,
		PutAside: func(id, why string) error { return fmt.Errorf("planning row %s: %s", id, why) },
		Methods: worker.Methods{
			methodOpen:    keepError(&h.failed, h.open),
			methodGet:     keepError(&h.failed, h.get),
			methodMeasure: keepError(&h.failed, func([]byte) (n worker.Nothing, err error) { return n, nil }),
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
	h.snapshot, err = runstore.Look(h.dir)
	if errors.Is(err, runstore.ErrNotARun) {
		return o, nil // a new one
	}
	if err != nil {
		return o, err
	}
	m.Results.LogitBias = sameBias(&h.snapshot.Manifest, m.Results.LogitBias)
	for _, c := range h.snapshot.Changes(m) {
		h.changed = append(h.changed, c.String())
	}
	if len(h.changed) == 0 {
		o.Done = h.snapshot.IDs()
	}
	return o, nil
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
