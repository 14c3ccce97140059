package app

import (
	"encoding/json"
	"fmt"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/worker"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// The methods of a run's host.
const (
	methodOpen    = "open"
	methodGet     = "get"
	methodPut     = "put"
	methodAppend  = "append"
	methodMeasure = "measure"
)

// opened is what a run directory tells a worker that opens it.
type opened struct {
	Manifest []byte   // JSON
	Done     []string // ids of rows
}

// storedTurn is a turn under its key, as it travels: gob drops pointers to zeros.
type storedTurn struct {
	Key     revise.Key
	Turn    revise.TurnResult
	LogProb []float64 // of the turn; none where it has none
	OK      bool      // it is there
}

func packTurn(key revise.Key, o revise.TurnResult, ok bool) storedTurn {
	t := storedTurn{Key: key, Turn: o, OK: ok}
	if o.LogProb != nil {
		t.Turn.LogProb, t.LogProb = nil, []float64{*o.LogProb}
	}
	return t
}

func (t storedTurn) unpack() revise.TurnResult {
	if len(t.LogProb) > 0 {
		t.Turn.LogProb = &t.LogProb[0]
	}
	return t.Turn
}

// runStore is the run directory as a worker sees it: the parent does what its methods say. It is a revise.Memory.
type runStore struct {
	parent   *worker.Client
	manifest runstore.Manifest
	done     map[string]bool // rows that were done when the worker began
	kept     *int            // turns that this worker has kept, without what a judge was asked
}

// open has the parent open the run.
func (s *runStore) open(m runstore.Manifest) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing the manifest down: %w", err)
	}
	o, err := worker.Call[opened](s.parent, methodOpen, text)
	if err != nil {
		return err
	}
	s.done, s.kept = map[string]bool{}, new(int)
	for _, id := range o.Done {
		s.done[id] = true
	}
	return json.Unmarshal(o.Manifest, &s.manifest)
}

// Get returns a finished turn.
func (s runStore) Get(key revise.Key) (revise.TurnResult, bool, error) {
	t, err := worker.Call[storedTurn](s.parent, methodGet, key)
	return t.unpack(), t.OK, err
}

// Put keeps a finished turn.
func (s runStore) Put(key revise.Key, o revise.TurnResult) error {
	_, err := worker.Call[worker.Nothing](s.parent, methodPut, packTurn(key, o, true))
	if err == nil && o.Scores == nil {
		*s.kept++
	}
	return err
}

// append keeps a finished row.
func (s runStore) append(rec revise.Record) error {
	text, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("writing row %s down: %w", rec.ID, err)
	}
	_, err = worker.CallEnding[worker.Nothing](s.parent, methodAppend, text, rec.ID)
	return err
}

// measure keeps what was measured.
func (s *runStore) measure(m runstore.Measured) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing down what was measured: %w", err)
	}
	if _, err = worker.Call[worker.Nothing](s.parent, methodMeasure, text); err == nil {
		s.manifest.Measured = m
	}
	return err
}

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
	samePaths(h.in.job.Previous, &m.Setup)
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
