package app

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/worker"
	"amend/engine/atomicfile"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// The methods of a run's host.
const (
	methodOpen     = "open"
	methodGet      = "get"
	methodPut      = "put"
	methodAppend   = "append"
	methodMeasure  = "measure"
	methodPrevious = "previous"
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
	progress *reporter
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
	if t.OK && t.Turn.Scores == nil {
		s.progress.turn(true)
	}
	return t.unpack(), t.OK, err
}

// Put keeps a finished turn.
func (s runStore) Put(key revise.Key, o revise.TurnResult) error {
	_, err := worker.Call[worker.Nothing](s.parent, methodPut, packTurn(key, o, true))
	if err == nil && o.Scores == nil {
		*s.kept++
		s.progress.turn(false)
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
	before int                   // rows that earlier commands did
	run    *runstore.Run         // nil until a worker opens it
}

func newRunHost(e Env, in inputs) *runHost {
	h := &runHost{env: e, in: in, rows: map[string]revise.Row{}}
	for _, r := range in.job.rows() {
		h.rows[r.ID] = r
	}
	return h
}

// host is what workers may call.
func (h *runHost) host() worker.Host {
	return worker.Host{
		Unit: "row", Log: h.env.Log, Notify: h.env.notify, PutAside: h.putAside,
		Methods: newKeptResults(h.env.Log).methods(worker.Methods{
			methodPrevious: worker.NewMethod(h.previous),
			methodOpen:     worker.NewMethod(h.open),
			methodGet:      worker.NewMethod(h.get),
			methodPut:      worker.NewMethod(h.put),
			methodAppend:   worker.NewMethod(h.append),
			methodMeasure:  worker.NewMethod(h.measure),
		}),
	}
}

// previousManifest asks the parent for the manifest of the run that is continued: nil for a new one.
func previousManifest(parent *worker.Client) (*runstore.Manifest, error) {
	text, err := worker.Call[[]byte](parent, methodPrevious, worker.Nothing{})
	if err != nil || len(text) == 0 {
		return nil, err
	}
	var m runstore.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("reading the run's manifest: %w", err)
	}
	return &m, nil
}

// previous gives a worker the manifest of the run as it is now: what an earlier worker has measured is not measured again.
func (h *runHost) previous(worker.Nothing) ([]byte, error) {
	if h.run != nil {
		return json.Marshal(h.run.Manifest())
	}
	return h.in.previousText()
}

// previousText is the manifest of the run that is continued, as JSON; empty for a new one.
func (in inputs) previousText() ([]byte, error) {
	if in.previous == nil {
		return nil, nil
	}
	return json.Marshal(in.previous)
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
		for _, id := range h.run.IDs() {
			if _, mine := h.rows[id]; mine {
				h.before++
			}
		}
	}
	o.Manifest, err = json.Marshal(h.run.Manifest())
	o.Done = h.run.IDs()
	return o, err
}

// openRun opens the run directory, and keeps constitution and settings there.
func (h *runHost) openRun(m runstore.Manifest) (err error) {
	c := h.in.job.Config
	m.Results.LogitBias = sameBias(h.in.previous, m.Results.LogitBias)
	sameSetup(h.in.previous, &m.Setup)
	recorded := h.in.recorded.record()
	settings, err := settingsText(c.Out, &recorded)
	if err != nil {
		return err
	}
	var warnings []string
	h.run, warnings, err = runstore.Open(c.Out, m, runstore.Options{
		Redo: c.Redo, RetryFailed: c.RetryFailed, Constitution: h.in.job.Constitution, Settings: settings,
	})
	if err != nil {
		h.run = nil
		return h.withConstitutionDiff(err)
	}
	for _, w := range warnings {
		h.env.Log.Warn(w)
	}
	return h.in.keepWhole()
}

// keepWhole writes the whole run's config.yaml when its first stage has been accepted: the run directory alone then
// continues it from either stage. A run that is continued without Redo has the file.
func (in inputs) keepWhole() error {
	if in.whole == nil || in.whole.Out == in.job.Config.Out {
		return nil
	}
	there, err := exists(filepath.Join(in.whole.Out, runstore.SettingsFile))
	if err != nil || there && !in.whole.Redo {
		return err
	}
	recorded := in.whole.record()
	text, err := settingsText(in.whole.Out, &recorded)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(in.whole.Out, runstore.SettingsFile), text)
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
		return fmt.Errorf("a worker died of row %s, which is not in this run", id)
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
