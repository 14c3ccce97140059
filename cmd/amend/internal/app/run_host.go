package app

import (
	"encoding/json"
	"errors"
	"fmt"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/worker"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// runHost is the parent's side of a run: it alone writes to the run directory.
type runHost struct {
	env    Env
	in     inputs
	rows   map[string]revise.Row // by id
	run    *runstore.Run         // nil until a worker opens it
	failed error                 // the first error of a method: the worker has only its text
}

func newRunHost(e Env, in inputs) *runHost {
	h := &runHost{env: e, in: in, rows: make(map[string]revise.Row, len(in.job.Rows))}
	for _, r := range in.job.Rows {
		h.rows[r.ID] = r
	}
	return h
}

// host is what workers may call.
func (h *runHost) host() worker.Host {
	return worker.Host{
		Unit: "row", Log: h.env.Log, Notify: h.env.notify, PutAside: h.putAside,
		Methods: worker.Methods{
			methodOpen:    keepError(&h.failed, h.open),
			methodGet:     keepError(&h.failed, h.get),
			methodPut:     keepError(&h.failed, h.put),
			methodAppend:  keepError(&h.failed, h.append),
			methodMeasure: keepError(&h.failed, h.measure),
		},
	}
}

// keepError makes a method that keeps its first error: the worker gets only the text, the parent needs the type.
func keepError[A, R any](failed *error, f func(A) (R, error)) worker.Method {
	return worker.NewMethod(func(args A) (R, error) {
		out, err := f(args)
		if err != nil && *failed == nil {
			*failed = err
		}
		return out, err
	})
}

// open opens the run for the first worker. Later workers get it as it is.
func (h *runHost) open(manifest []byte) (o opened, err error) {
	if h.run == nil {
		var m runstore.Manifest
		if err := json.Unmarshal(manifest, &m); err != nil {
			return o, fmt.Errorf("reading the worker's manifest: %w", err)
		}
		if err := h.openRun(m); err != nil {
			return o, err
		}
	}
	o.Manifest, err = json.Marshal(h.run.Manifest())
	o.Done = h.run.IDs()
	return o, err
}

// openRun opens the run directory, and keeps constitution and settings there.
func (h *runHost) openRun(m runstore.Manifest) (err error) {
	c := h.in.job.Config
	m.Results.LogitBias = sameBias(h.in.job.Previous, m.Results.LogitBias)
	var warnings []string
	if h.run, warnings, err = runstore.Open(c.Out, m, runstore.Options{Redo: c.Redo, RetryFailed: c.RetryFailed}); err != nil {
		h.run = nil
		return h.withConstitutionDiff(err)
	}
	for _, w := range warnings {
		h.env.Log.Warn(w)
	}
	if err := h.run.KeepConstitution(h.in.job.Constitution); err != nil {
		return err
	}
	recorded := h.in.recorded.record()
	return keepSettings(c.Out, RunSettingsFile, &recorded)
}

func (h *runHost) get(key revise.Key) (storedTurn, error) {
	o, ok, err := h.run.Get(key)
	return packTurn(key, o, ok), err
}

// put stores a turn. If that fails the run stops, and can be continued.
func (h *runHost) put(t storedTurn) (n worker.Nothing, err error) {
	return n, failure.Stopped(h.run.Put(t.Key, t.unpack()))
}

func (h *runHost) append(record []byte) (n worker.Nothing, err error) {
	var rec revise.Record
	if err := json.Unmarshal(record, &rec); err != nil {
		return n, fmt.Errorf("reading the worker's row: %w", err)
	}
	return n, failure.Stopped(h.run.Append(rec)) // what is on disk is whole
}

func (h *runHost) measure(measured []byte) (n worker.Nothing, err error) {
	var m runstore.Measured
	if err := json.Unmarshal(measured, &m); err != nil {
		return n, fmt.Errorf("reading what the worker measured: %w", err)
	}
	return n, failure.Stopped(h.run.Measure(m))
}

// putAside records a row that crashes the worker.
func (h *runHost) putAside(id, why string) error {
	r, ok := h.rows[id]
	if !ok {
		return fmt.Errorf("a worker died of row %s, which is none of this run", id)
	}
	rec := revise.Record{ID: r.ID, Index: r.Index, Sample: r.Sample, Attributes: r.Attributes, Messages: r.Messages, Error: why}
	return failure.Stopped(h.run.Append(rec))
}

// close closes the run directory.
func (h *runHost) close() error {
	if h.run == nil {
		return nil
	}
	return h.run.Close()
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
