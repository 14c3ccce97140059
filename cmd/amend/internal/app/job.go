package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/worker"
	"amend/constitution"
	"amend/engine/export"
	"amend/engine/runstore"
	"amend/models"
)

// The kinds of jobs.
const (
	jobRun      = "run"
	jobFeedback = "feedback"
	jobStates   = "states"
)

// handlers returns the handlers of jobs, for a worker or for this process.
func (e Env) handlers() map[string]worker.Handler {
	return map[string]worker.Handler{
		jobRun:      e.computeRun,
		jobFeedback: e.computeFeedback,
		jobStates:   e.computeStates,
	}
}

// Worker is a worker process. An error is about the process itself: that of its job goes to the parent.
func (e Env) Worker(ctx context.Context) error {
	handlers := e.handlers()
	for kind, h := range handlers {
		handlers[kind] = func(ctx context.Context, job worker.Job, parent *worker.Client) ([]byte, error) {
			runner.SetLog(parent.Log())
			return h(ctx, job, parent)
		}
	}
	return failure.Input(worker.Main(ctx, handlers, encodeFailure))
}

// do runs a job in a supervised worker, or in this process.
func (e Env) do(ctx context.Context, kind string, payload []byte, host worker.Host) ([]byte, error) {
	job := worker.Job{Kind: kind, Payload: payload, Level: e.level()}
	if e.InProcess {
		runner.SetLog(e.Log)
		out, err := worker.Here(ctx, job, e.handlers()[kind], host)
		return out, stoppedBy(ctx, err)
	}
	out, err := worker.Supervise(ctx, e.spawner(), job, host)
	return out, decodeFailure(ctx, err)
}

// doJob has a job done and reads its result. A worker gets only the text of an error of the host's methods, so the first
// one is kept here and returned, with its type.
func doJob[R any](ctx context.Context, e Env, kind string, job any, host worker.Host) (result R, err error) {
	payload, err := json.Marshal(job)
	if err != nil {
		return result, fmt.Errorf("writing the job down: %w", err)
	}
	var failed error
	for name, method := range host.Methods {
		host.Methods[name] = func(args []byte) ([]byte, error) {
			out, err := method(args)
			if err != nil && failed == nil {
				failed = err
			}
			return out, err
		}
	}
	text, err := e.do(ctx, kind, payload, host)
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

// level is the least level of the log.
func (e Env) level() slog.Level {
	if e.Log.Enabled(context.Background(), slog.LevelDebug) {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// The kinds of errors that stay what they are on the way from a worker.
const (
	kindField   = "field"
	kindInput   = "input"
	kindStopped = "stopped"
)

// encodeFailure encodes a worker's error for the parent.
func encodeFailure(err error) *worker.Failure {
	f := &worker.Failure{Text: err.Error()}
	var field *failure.FieldError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		f.Kind = kindStopped
	case errors.As(err, &field):
		f.Kind, f.Field, f.Detail = kindField, field.Field, field.Error()
	case IsInput(err):
		f.Kind = kindInput
	}
	return f
}

// decodeFailure returns the error that a worker encoded.
func decodeFailure(ctx context.Context, err error) error {
	var f *worker.Failure
	if !errors.As(err, &f) {
		return stoppedBy(ctx, err)
	}
	switch f.Kind {
	case kindStopped:
		return stoppedBy(ctx, context.Canceled)
	case kindField:
		field := &failure.FieldError{Field: f.Field, Want: strings.TrimPrefix(f.Detail, f.Field+" ")}
		return &remoteError{f.Text, field}
	case kindInput:
		return failure.Input(f)
	}
	return f
}

// remoteError is an error of a worker, in its words.
type remoteError struct {
	text string
	kind error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.kind }

// errContinue ends work that a signal stopped.
var errContinue = errors.New("finished work is saved; the same command continues")

// stoppedBy turns the error of a cancelled context into a *failure.StoppedError.
func stoppedBy(ctx context.Context, err error) error {
	if err == nil || !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &failure.StoppedError{Cause: errContinue, Signal: worker.SignalOf(ctx)}
}

// IsInput reports whether an error is about what the user gave, so that trying again would fail again.
func IsInput(err error) bool {
	var (
		input    *failure.InputError
		field    *failure.FieldError
		problems constitution.Problems
		problem  constitution.Problem
		changed  *runstore.ChangedError
		locked   *runstore.LockedError
	)
	return errors.As(err, &input) || errors.As(err, &field) || errors.As(err, &problems) || errors.As(err, &problem) ||
		errors.As(err, &changed) || errors.As(err, &locked) ||
		errors.Is(err, models.ErrInvalid) || errors.Is(err, runstore.ErrNotARun) || errors.Is(err, export.ErrInUse) || errors.Is(err, fs.ErrNotExist)
}
