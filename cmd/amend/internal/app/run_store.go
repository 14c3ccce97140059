package app

import (
	"encoding/json"
	"fmt"

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
