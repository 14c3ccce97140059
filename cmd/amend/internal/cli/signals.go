package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"amend/cmd/amend/internal/supervise"
)

// withSignals returns a context that the first Ctrl-C or SIGTERM ends. The
// second ends the process at once. signalIn says which signal came.
func withSignals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-ch:
			signal.Stop(ch) // the next signal has its default effect
			cancel(supervise.Signal{Signal: s})
		case <-done:
		}
	}()
	stop = func() {
		signal.Stop(ch)
		close(done)
		cancel(nil)
	}
	return ctx, stop
}

// signalIn is the signal that ended a context of withSignals, nil for none.
func signalIn(ctx context.Context) os.Signal {
	var s supervise.Signal
	if errors.As(context.Cause(ctx), &s) {
		return s.Signal
	}
	return nil
}

// stoppedBy gives an error that a signal caused its exit code.
func stoppedBy(err error, sig os.Signal) error {
	if sig == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	if sig == os.Interrupt {
		return &exitError{exitInterrupted, fmt.Errorf("interrupted: %w", err)}
	}
	return &exitError{exitStopped, fmt.Errorf("stopped: %w", err)}
}
