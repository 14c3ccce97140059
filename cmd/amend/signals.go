package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// withSignals returns a context that the first Ctrl-C or SIGTERM ends. The
// second ends the process at once. cause says which signal came, nil for none.
func withSignals(parent context.Context) (ctx context.Context, stop func(), cause func() os.Signal) {
	ctx, cancel := context.WithCancel(parent)
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	var got atomic.Pointer[os.Signal]
	done := make(chan struct{})
	go func() {
		select {
		case s := <-ch:
			got.Store(&s)
			signal.Stop(ch) // the next signal has its default effect
			cancel()
		case <-done:
		}
	}()
	stop = func() {
		signal.Stop(ch)
		close(done)
		cancel()
	}
	cause = func() os.Signal {
		if s := got.Load(); s != nil {
			return *s
		}
		return nil
	}
	return ctx, stop, cause
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
