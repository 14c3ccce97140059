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

// WithSignals returns a context that the first Ctrl-C, SIGTERM or hang-up ends; SignalOf says which it was. A Ctrl-C after
// that ends the process at once, by that signal: atOnce is called before. Signals that the process was started to ignore, as
// by nohup, stay ignored.
func WithSignals(parent context.Context, atOnce func()) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	first, again, done := make(chan os.Signal, 1), make(chan os.Signal, 1), make(chan struct{})
	heed(first, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case s := <-first:
			heed(again, os.Interrupt)
			cancel(Signal{s})
		case <-done:
			return
		}
		select {
		case s := <-again:
			atOnce()
			endBy(s)
		case <-done:
		}
	}()
	stop = sync.OnceFunc(func() {
		signal.Stop(first)
		signal.Stop(again)
		close(done)
		cancel(nil)
	})
	return ctx, stop
}

// heed has signals sent to a channel, except those that are ignored.
func heed(to chan<- os.Signal, signals ...os.Signal) {
	for _, s := range signals {
		if !signal.Ignored(s) {
			signal.Notify(to, s)
		}
	}
}

// endBy ends this process by a signal, so that its parent sees why.
func endBy(s os.Signal) {
	signal.Reset(s)
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Signal(s) // it cannot fail for the process itself
	}
}

// leaveSignalsToParent has this process ignore what a terminal sends to the whole job, Ctrl-C and hang-up: its parent gets
// them too, and says what to do. Processes that this one starts ignore them as well.
func leaveSignalsToParent() { signal.Ignore(os.Interrupt, syscall.SIGHUP) }

// SignalOf is the signal that ended a context of WithSignals, nil for none.
func SignalOf(ctx context.Context) os.Signal {
	var s Signal
	if errors.As(context.Cause(ctx), &s) {
		return s.Signal
	}
	return nil
}
