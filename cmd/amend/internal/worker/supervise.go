package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// Spawner starts worker processes.
type Spawner struct {
	// Command makes the command of a worker, not started. Supervise adds the pipes.
	Command func() (*exec.Cmd, error)
	// Stderr takes what a worker writes to its standard error.
	Stderr io.Writer
	// Level is the least level of a worker's log.
	Level slog.Level
	// Here, unless nil, does jobs in this process, by their kinds. Tests set it.
	Here map[string]Handler
}

// Do has a job done and reads its result; both travel as JSON. A worker gets only the text of an error of the host's
// methods, so the first of these is returned here, with its type. Other errors are those of Supervise.
func Do[R any](ctx context.Context, spawner Spawner, kind string, job any, host Host) (result R, err error) {
	payload, err := json.Marshal(job)
	if err != nil {
		return result, fmt.Errorf("writing the job down: %w", err)
	}
	var failed error
	host.Methods = host.Methods.noting(&failed)
	var text []byte
	if j := (Job{Kind: kind, Payload: payload, Level: spawner.Level}); spawner.Here != nil {
		text, err = here(ctx, j, spawner.Here[kind], host)
	} else {
		text, err = Supervise(ctx, spawner, j, host)
	}
	if failed != nil {
		return result, failed
	}
	if err != nil {
		return result, err
	}
	if err := json.Unmarshal(text, &result); err != nil {
		return result, fmt.Errorf("reading the worker's result: %w", err)
	}
	return result, nil
}

// idleDeaths is how many workers in a row may die without having begun or finished anything.
const idleDeaths = 2

// lastWords is how long processes that a dead worker has left behind may keep its standard error open.
const lastWords = 2 * time.Second

// supervisor does one job with as many workers as it takes.
type supervisor struct {
	spawner Spawner
	host    Host
	job     Job

	flight []string        // units under way, the oldest first
	killed map[string]bool // units during which a worker was killed while they ran alone
	idle   int             // workers in a row that died without having begun or finished anything

	// Of the present worker:
	alive  int // units under way at once, at most
	useful int // units that it finished
	end    *message
}

// Supervise has a job done by workers until one ends by itself, and returns its result. An error that the handler
// returned is a *Failure. The signal that ends ctx is passed on: the worker finishes what it is doing and returns. No unit
// is to blame for one that dies after that. A Signal is the error where a worker was told to end by somebody else.
func Supervise(ctx context.Context, spawner Spawner, job Job, host Host) (result []byte, err error) {
	s := &supervisor{spawner: spawner, host: host, job: job, killed: map[string]bool{}}
	for ctx.Err() == nil {
		why, err := s.run(ctx)
		switch {
		case err != nil:
			return nil, err
		case s.end != nil && s.end.Failure != nil:
			return nil, s.end.Failure
		case s.end != nil:
			return s.end.Body, nil
		case why.asked != nil:
			return nil, Signal{why.asked}
		case ctx.Err() == nil:
			if err := s.died(why); err != nil {
				return nil, err
			}
		}
	}
	return nil, ctx.Err()
}

// death is how a worker died.
type death struct {
	text        string
	outOfMemory bool
	asked       os.Signal // that asked it to end; nil for none
}

// run runs one worker to its end.
func (s *supervisor) run(ctx context.Context) (death, error) {
	cmd, err := s.spawner.Command()
	if err != nil {
		return death{}, fmt.Errorf("starting a worker process: %w", err)
	}
	errs := &faults{to: s.spawner.Stderr}
	if errs.to == nil {
		errs.to = io.Discard
	}
	cmd.Stderr, cmd.WaitDelay = errs, lastWords
	s.alive, s.useful, s.end = 0, 0, nil
	fromWorker, toWorker, err := start(cmd)
	if err != nil {
		return death{}, err
	}
	defer func() { _, _ = fromWorker.Close(), toWorker.Close() }()
	served := s.serve(ctx, newLink(fromWorker, toWorker))
	if served != nil {
		_ = cmd.Process.Kill() // it would wait for an answer
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return death{}, fmt.Errorf("waiting for a worker process: %w", err)
	}
	return describe(cmd.ProcessState, errs.text()), served
}

// start starts a worker with its two pipes, and returns the parent's ends.
func start(cmd *exec.Cmd) (fromWorker, toWorker *os.File, err error) {
	fromWorker, workerWrites, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("starting a worker process: %w", err)
	}
	workerReads, toWorker, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("starting a worker process: %w", err), fromWorker.Close(), workerWrites.Close())
	}
	cmd.ExtraFiles = []*os.File{workerWrites, workerReads} // files toParent and fromParent
	err = cmd.Start()
	_, _ = workerWrites.Close(), workerReads.Close() // the worker has its own
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("starting a worker process: %w", err), fromWorker.Close(), toWorker.Close())
	}
	return fromWorker, toWorker, nil
}

// passOn tells a worker of the signal that ends ctx.
func passOn(ctx context.Context, l link) {
	sig, ok := SignalOf(ctx).(syscall.Signal)
	if !ok {
		sig = syscall.SIGTERM
	}
	_ = l.enc.Encode(answer{Stop: sig}) // it may have ended
}

func describe(state *os.ProcessState, fault string) death {
	d := death{text: state.String()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		switch sig := status.Signal(); sig {
		case syscall.SIGKILL:
			d.text += ", most likely because memory ran out"
			d.outOfMemory = true
		case syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP:
			d.asked = sig
		default: // a fault
		}
	}
	if fault != "" {
		d.text += ": " + fault
	}
	return d
}

// serve gives a worker its job and answers it until it closes its pipe. An error is one of this side.
func (s *supervisor) serve(ctx context.Context, l link) error {
	if err := l.enc.Encode(s.job); err != nil && !errors.Is(err, syscall.EPIPE) {
		return fmt.Errorf("giving the worker process its job: %w", err)
	}
	defer context.AfterFunc(ctx, func() { passOn(ctx, l) })()
	for {
		var m message
		if err := l.dec.Decode(&m); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil // it ended, in whatever way
			}
			return fmt.Errorf("hearing from the worker process: %w", err)
		}
		if err := s.take(m, l); err != nil {
			return err
		}
	}
}

// take does what a worker's message asks for.
func (s *supervisor) take(m message, l link) error {
	switch m.Kind {
	case call:
		a := s.host.answer(m)
		if m.Unit != "" && !a.Failed {
			s.finished(m.Unit)
		}
		if err := l.enc.Encode(a); err != nil && !errors.Is(err, syscall.EPIPE) {
			return fmt.Errorf("answering the worker process: %w", err)
		}
	case begin:
		if !slices.Contains(s.flight, m.Unit) {
			s.flight = append(s.flight, m.Unit)
		}
		s.alive = max(s.alive, len(s.flight))
	case notify:
		s.host.notify(m)
	case logged:
		m.Record.write(s.host.Log)
	case final:
		s.end = &m
	default:
		return fmt.Errorf("the worker process sent a message of unknown kind %q", m.Kind)
	}
	return nil
}

// finished takes a unit off those that are under way.
func (s *supervisor) finished(unit string) {
	same := func(id string) bool { return id == unit }
	s.flight = slices.DeleteFunc(s.flight, same)
	s.job.Limits.Alone = slices.DeleteFunc(slices.Clone(s.job.Limits.Alone), same)
	s.useful++
}

// died decides how to go on after a worker's death.
func (s *supervisor) died(d death) error {
	units, limits, unit := s.flight, &s.job.Limits, s.host.Unit
	s.flight = nil
	if s.useful > 0 || len(units) > 0 {
		s.idle = 0
	} else {
		s.idle++
	}
	alone := len(units) == 1 && slices.Contains(limits.Alone, units[0])
	switch {
	case d.outOfMemory && s.alive > 1:
		limits.AtMost = max(1, s.alive/2)
		s.host.Log.Warn(fmt.Sprintf("the worker process was killed; it is started again with fewer %ss at once", unit), "why", d.text, unit+"s at once", limits.AtMost)
		return nil
	case len(units) == 0:
		if s.idle == idleDeaths {
			return fmt.Errorf("the worker process died %d times before it began a %s: %s", s.idle, unit, d.text)
		}
		s.host.Log.Warn(fmt.Sprintf("the worker process died while no %s was under way; it is started again", unit), "why", d.text)
		return nil
	case alone && d.outOfMemory && !s.killed[units[0]]:
		s.killed[units[0]] = true // something else may have taken the memory
		s.host.Log.Warn(fmt.Sprintf("the worker process was killed while a %s ran alone; it is tried once more", unit), unit, units[0], "why", d.text)
		return nil
	case alone:
		s.host.Log.Warn(fmt.Sprintf("a %s kills the worker process alone; it is put aside", unit), unit, units[0], "why", d.text)
		s.finished(units[0])
		return s.host.PutAside(units[0], fmt.Sprintf("the worker process crashes on this %s even in isolation: %s", unit, d.text))
	}
	known := len(limits.Alone)
	for _, id := range units {
		if !slices.Contains(limits.Alone, id) {
			limits.Alone = append(limits.Alone, id)
		}
	}
	if len(limits.Alone) == known { // to go on would teach nothing
		return fmt.Errorf("the worker process died with %d %ss under way that were to run alone: %s", len(units), unit, d.text)
	}
	s.host.Log.Warn(fmt.Sprintf("the worker process died; the %ss that were under way are tried one at a time", unit), "why", d.text, unit+"s", len(units))
	return nil
}
