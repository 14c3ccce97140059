package supervise

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"sync"

	"amend/engine/prompts"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// Store is the run as a child sees it: what runstore.Run does, done by the parent. Its methods may be called from many
// goroutines.
type Store struct {
	dir      string
	manifest runstore.Manifest
	orders   Orders

	mu      sync.Mutex // of the link, and of what follows
	link    link
	answers chan response
	done    map[string]bool
	kept    int
}

// Connect makes a child's store over its pipes. orphaned is called when the parent is gone, on a goroutine of its own,
// whatever the child is doing: it is to end the process.
func Connect(in io.Reader, out io.Writer, orphaned func()) *Store {
	s := &Store{link: newLink(in, out), answers: make(chan response), done: map[string]bool{}}
	go func() {
		for {
			var r response
			if err := s.link.dec.Decode(&r); err != nil {
				orphaned()
				return
			}
			s.answers <- r
		}
	}()
	return s
}

// call asks the parent. The caller holds the lock.
func (s *Store) call(r request) (response, error) {
	if err := s.link.enc.Encode(r); err != nil {
		return response{}, fmt.Errorf("asking the supervising process: %w", err)
	}
	a := <-s.answers
	return a, a.Failure.err()
}

// Open has the parent open the run (runstore.Open).
func (s *Store) Open(dir string, m runstore.Manifest, o runstore.Options) (warnings []string, err error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.call(request{Op: opOpen, Dir: dir, JSON: text, Opts: o})
	if err != nil {
		return nil, err
	}
	s.dir, s.orders = dir, a.Orders
	for _, id := range a.Done {
		s.done[id] = true
	}
	return a.Warnings, json.Unmarshal(a.JSON, &s.manifest)
}

// Orders are what the parent wants to be done differently.
func (s *Store) Orders() Orders { return s.orders }

// Manifest returns the run's manifest.
func (s *Store) Manifest() runstore.Manifest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.manifest
}

// Done reports whether a row is finished.
func (s *Store) Done(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done[id]
}

// Get returns a finished turn.
func (s *Store) Get(key revise.Key) (revise.TurnResult, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.call(request{Op: opRecall, Key: key})
	return a.Output.unpack(), a.OK, err
}

// Put keeps a finished turn.
func (s *Store) Put(key revise.Key, o revise.TurnResult) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.call(request{Op: opRemember, Key: key, Output: pack(o)})
	if err == nil && o.Scores == nil {
		s.kept++
	}
	return err
}

// Remembered is how many turns this process has kept, without what a judge was asked.
func (s *Store) Remembered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept
}

// Begin tells the parent that a row is under way.
func (s *Store) Begin(in revise.Row) error {
	rec := revise.Record{ID: in.ID, Index: in.Index, Sample: in.Sample, Attributes: in.Attributes, Messages: in.Messages}
	return s.tell(opBegin, rec)
}

// Append adds a finished row.
func (s *Store) Append(rec revise.Record) error {
	if err := s.tell(opAppend, rec); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done[rec.ID] = true
	return nil
}

// Measure records what was measured.
func (s *Store) Measure(m runstore.Measured) error {
	if err := s.tell(opMeasure, m); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manifest.Measured = m
	return nil
}

// Finish writes what a finished run has beside its database.
func (s *Store) Finish(unreadable []prompts.BadRow) error { return s.tell(opFinish, unreadable) }

// KeepConstitution writes the composed constitution of a new run.
func (s *Store) KeepConstitution(text []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.call(request{Op: opConstitution, Text: text})
	return err
}

// Bye says how the process will exit. One that ends without has died.
func (s *Store) Bye(code int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.call(request{Op: opBye, Code: code})
	return err
}

// tell sends something that is kept as JSON.
func (s *Store) tell(what op, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.call(request{Op: what, JSON: text})
	return err
}

// Rows yields the finished rows in input order.
func (s *Store) Rows() iter.Seq2[revise.Record, error] {
	_, rows, err := runstore.Read(s.dir)
	if err != nil {
		return func(yield func(revise.Record, error) bool) { yield(revise.Record{}, err) }
	}
	return rows
}
