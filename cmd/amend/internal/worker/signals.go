package worker

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Signal is the cause of a context that a signal ended.
type Signal struct{ os.Signal }

// Error names the signal.
func (s Signal) Error() string { return s.String() }

// Is says that a signal cancels a context, so that context.Cause and ctx.Err are the same kind of error.
func (Signal) Is(target error) bool { return target == context.Canceled }

// WithSignals returns a context that the first Ctrl-C or SIGTERM ends. The second ends the process at once. SignalOf
// says which signal came.
func WithSignals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-ch:
			signal.Stop(ch) // the next signal has its default effect
			cancel(Signal{s})
		case <-done:
		}
	}()
	stop = sync.OnceFunc(func() {
		signal.Stop(ch)
		close(done)
		cancel(nil)
	})
	return ctx, stop
}

// SignalOf is the signal that ended a context of WithSignals, nil for none.
func SignalOf(ctx context.Context) os.Signal {
	var s Signal
	if errors.As(context.Cause(ctx), &s) {
		return s.Signal
	}
	return nil
}
