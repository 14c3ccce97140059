package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"amend/engine/prompts"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// Engine says how children are started, and who hears of them.
type Engine struct {
	// Command makes a child's command, not started: Supervise adds the two pipes, which the child finds as files 3 (to
	// write) and 4 (to read). atMost is how many rows may be alive at once; 0 leaves it to the child.
	Command func(atMost int) *exec.Cmd
	// Tail gives the line of the present child's standard error that tells of a fault, where there is one.
	Tail func() string
	// Warn tells the user what happened.
	Warn func(msg string, keyvals ...any)
}

// idleDeaths is how many children in a row may die without having done anything.
const idleDeaths = 2

// supervisor is one run's.
type supervisor struct {
	Engine
	run    *runstore.Run // nil until a child opens it
	flight map[string]revise.Record
	orders Orders
	atMost int // rows alive at once; 0: as the child likes
	alive  int // rows that were alive at once in the present child, at most
	useful int // turns and rows that the present child finished
	idle   int // children in a row that did nothing
	code   *int
	killed map[string]bool // rows during which a child was killed while they ran alone
}

// Supervise runs children until one ends by itself, and returns its exit code. Signals that end ctx are passed on: the
// child finishes what it is doing and says good-bye. An error means that the run cannot go on.
func Supervise(ctx context.Context, e Engine) (code int, err error) {
	s := &supervisor{Engine: e, flight: map[string]revise.Record{}, killed: map[string]bool{}}
	defer func() {
		if s.run != nil {
			err = errors.Join(err, s.run.Close())
		}
	}()
	for {
		why, err := s.child(ctx)
		if err != nil {
			return 0, err
		}
		if s.code != nil {
			return *s.code, nil
		}
		if err := s.died(why); err != nil {
			return 0, err
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
}

// death is how a child died.
type death struct {
	text        string
	outOfMemory bool
}

// child runs one child to its end.
func (s *supervisor) child(ctx context.Context) (death, error) {
	cmd := s.Command(s.atMost)
	fromChild, childWrites, err := os.Pipe()
	if err != nil {
		return death{}, err
	}
	defer func() { _ = fromChild.Close() }()
	childReads, toChild, err := os.Pipe()
	if err != nil {
		return death{}, errors.Join(err, childWrites.Close())
	}
	defer func() { _ = toChild.Close() }()
	cmd.ExtraFiles = []*os.File{childWrites, childReads}
	apart(cmd)
	s.alive, s.useful, s.code = 0, 0, nil
	err = cmd.Start()
	if err := errors.Join(childWrites.Close(), childReads.Close()); err != nil {
		return death{}, err
	}
	if err != nil {
		return death{}, fmt.Errorf("starting the engine's process: %w", err)
	}
	over := make(chan struct{})
	go passOn(ctx, cmd, over)
	served := s.serve(newLink(fromChild, toChild))
	if served != nil {
		_ = cmd.Process.Kill() // it would wait for an answer
	}
	err = cmd.Wait()
	close(over)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return death{}, err
	}
	return s.describe(cmd.ProcessState), served
}

// passOn tells a child of the signal that ends ctx.
func passOn(ctx context.Context, cmd *exec.Cmd, over <-chan struct{}) {
	select {
	case <-ctx.Done():
		_ = cmd.Process.Signal(signalOf(ctx)) // it may have ended
	case <-over:
	}
}

// Signal is the cause of a context that a signal ended.
type Signal struct{ os.Signal }

func (s Signal) Error() string { return s.String() }

func signalOf(ctx context.Context) os.Signal {
	var s Signal
	if errors.As(context.Cause(ctx), &s) {
		return s.Signal
	}
	return syscall.SIGTERM
}

func (s *supervisor) describe(state *os.ProcessState) death {
	d := death{text: state.String()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
		d.text += ", most likely because memory ran out"
		d.outOfMemory = true
	}
	if s.Tail != nil {
		if tail := strings.TrimSpace(s.Tail()); tail != "" {
			d.text += ": " + tail
		}
	}
	return d
}

// serve answers a child until it closes its pipe. An error is one of this side.
func (s *supervisor) serve(l link) error {
	for {
		var r request
		if err := l.dec.Decode(&r); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil // it ended, in whatever way
			}
			return fmt.Errorf("hearing from the engine's process: %w", err)
		}
		a := s.answer(r)
		if err := l.enc.Encode(a); err != nil {
			if errors.Is(err, syscall.EPIPE) {
				return nil
			}
			return fmt.Errorf("answering the engine's process: %w", err)
		}
	}
}

func (s *supervisor) answer(r request) (a response) {
	if s.run == nil && r.Op != opOpen && r.Op != opBye {
		return response{Failure: newFailure(fmt.Errorf("%s before the run is open", r.Op))}
	}
	var err error
	switch r.Op {
	case opOpen:
		a, err = s.open(r)
	case opRecall:
		var o revise.TurnResult
		o, a.OK, err = s.run.Get(r.Key)
		a.Output = pack(o)
	case opRemember:
		err = s.run.Put(r.Key, r.Output.unpack())
		s.useful++
	case opBegin:
		var rec revise.Record
		if err = json.Unmarshal(r.JSON, &rec); err == nil {
			s.flight[rec.ID] = rec
			s.alive = max(s.alive, len(s.flight))
		}
	case opAppend:
		var rec revise.Record
		if err = json.Unmarshal(r.JSON, &rec); err == nil {
			err = s.append(rec)
		}
	case opMeasure:
		var m runstore.Measured
		if err = json.Unmarshal(r.JSON, &m); err == nil {
			err = s.run.Measure(m)
		}
	case opConstitution:
		err = s.run.KeepConstitution(r.Text)
	case opFinish:
		var unreadable []prompts.BadRow
		if err = json.Unmarshal(r.JSON, &unreadable); err == nil {
			err = s.run.Finish(unreadable)
		}
	case opBye:
		s.code = &r.Code
	default:
		err = fmt.Errorf("unknown request %q", r.Op)
	}
	a.Failure = newFailure(err)
	return a
}

// open opens the run for the first child, and gives it to the others as it is.
func (s *supervisor) open(r request) (a response, err error) {
	if s.run == nil {
		var m runstore.Manifest
		if err := json.Unmarshal(r.JSON, &m); err != nil {
			return a, err
		}
		if s.run, a.Warnings, err = runstore.Open(r.Dir, m, r.Opts); err != nil {
			s.run = nil
			return a, err
		}
	}
	a.JSON, err = json.Marshal(s.run.Manifest())
	a.Done, a.Orders = s.run.IDs(), s.orders
	return a, err
}

// append stores a finished row.
func (s *supervisor) append(rec revise.Record) error {
	delete(s.flight, rec.ID)
	s.orders.Alone = slices.DeleteFunc(s.orders.Alone, func(id string) bool { return id == rec.ID })
	s.useful++
	return s.run.Append(rec)
}

// died decides how to go on after a child's death.
func (s *supervisor) died(d death) error {
	rows := slices.SortedFunc(maps.Values(s.flight), func(a, b revise.Record) int { return a.Index - b.Index })
	clear(s.flight)
	if s.useful > 0 {
		s.idle = 0
	}
	switch {
	case d.outOfMemory && s.alive > 1:
		s.atMost = max(1, s.alive/2)
		s.Warn("the engine's process was killed; it is started again with fewer rows at once", "why", d.text, "rows at once", s.atMost)
		return nil
	case len(rows) == 0:
		if s.idle++; s.idle == idleDeaths {
			return fmt.Errorf("the engine's process died %d times before it began a row: %s", s.idle, d.text)
		}
		s.Warn("the engine's process died before it began a row; it is started again", "why", d.text)
		return nil
	case len(rows) == 1 && d.outOfMemory && slices.Contains(s.orders.Alone, rows[0].ID) && !s.killed[rows[0].ID]:
		s.killed[rows[0].ID] = true // something else may have taken the memory
		s.Warn("the engine's process was killed while a row ran alone; the row is tried once more", "row", rows[0].ID, "why", d.text)
		return nil
	case len(rows) == 1 && slices.Contains(s.orders.Alone, rows[0].ID):
		rec := rows[0]
		rec.Error = "the engine's process dies of this row, also when it runs alone: " + d.text
		s.Warn("a row kills the engine's process alone; it is put aside", "row", rec.ID, "why", d.text)
		return s.append(rec)
	}
	for _, rec := range rows {
		if !slices.Contains(s.orders.Alone, rec.ID) {
			s.orders.Alone = append(s.orders.Alone, rec.ID)
		}
	}
	s.Warn("the engine's process died; the rows that were under way are tried one at a time", "why", d.text, "rows", len(rows))
	return nil
}
