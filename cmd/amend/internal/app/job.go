package app

import (
	"context"
	"errors"
	"io/fs"
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
	jobEvaluate = "evaluate"
	jobSelfTest = "self-test"
)

// handlers returns the handlers of jobs. llama.cpp's log goes to the parent's.
func (e Env) handlers() map[string]worker.Handler {
	handlers := map[string]worker.Handler{
		jobRun:      e.computeRun,
		jobFeedback: e.computeFeedback,
		jobStates:   e.computeStates,
		jobEvaluate: e.computeEvaluation,
		jobSelfTest: e.computeSelfTest,
	}
	for kind, h := range handlers {
		handlers[kind] = func(ctx context.Context, job worker.Job, parent *worker.Client) ([]byte, error) {
			runner.SetLog(parent.Log())
			return h(ctx, job, parent)
		}
	}
	return handlers
}

// Worker is a worker process. An error is about the process itself: that of its job goes to the parent.
func (e Env) Worker(ctx context.Context) error {
	return failure.Input(worker.Main(ctx, e.handlers(), encodeFailure))
}

// The kinds of errors that stay what they are on the way from a worker.
const (
	kindField   = "field"
	kindInput   = "input"
	kindStopped = "stopped"
	kindAgain   = "again" // stopped by something else than a signal
)

// encodeFailure encodes a worker's error for the parent.
func encodeFailure(err error) *worker.Failure {
	f := &worker.Failure{Text: err.Error()}
	var (
		field *failure.FieldError
		again *failure.StoppedError
	)
	switch {
	case errors.As(err, &again):
		f.Kind = kindAgain
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		f.Kind = kindStopped
	case errors.As(err, &field):
		f.Kind, f.Field, f.Detail = kindField, field.Field, field.Error()
	case IsInput(err):
		f.Kind = kindInput
	}
	return f
}

// decodeFailure returns an error of worker.Do as the one that a worker encoded, where it is that. nil stays nil.
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
	case kindAgain:
		return failure.Stopped(f)
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
	stopped := &failure.StoppedError{Cause: errContinue, Signal: worker.SignalOf(ctx)}
	if s := (worker.Signal{}); stopped.Signal == nil && errors.As(err, &s) {
		stopped.Signal = s.Signal // a worker that was told by somebody else
	}
	return stopped
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
