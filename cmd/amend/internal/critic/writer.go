package critic

import (
	"context"
	"errors"
	"fmt"

	"amend/engine"
)

// Writer has a server write turns whose tokens are a conversation in the layout chat.Messages. It is a revise.Writer: not
// safe for concurrent use, though it has several turns written at once.
type Writer struct {
	server  *Server
	waiting []*engine.Request
	running int
	written chan written
	stats   engine.Stats
}

// written is a turn that has ended.
type written struct {
	request *engine.Request
	result  engine.Result
}

// NewWriter returns a writer without requests.
func NewWriter(s *Server) *Writer { return &Writer{server: s, written: make(chan written)} }

// Submit queues a request. All that are queued are sent at once: how many there are is up to the caller.
func (w *Writer) Submit(r *engine.Request) error {
	w.waiting = append(w.waiting, r)
	return nil
}

// Stats counts tokens, as far as the server has counted them.
func (w *Writer) Stats() engine.Stats { return w.stats }

// Run works until no request is left, or ctx ends. A server that is gone, or a request that shows all others to be wrong
// too, ends it with that error.
func (w *Writer) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for len(w.waiting)+w.running > 0 {
		w.start(ctx)
		turn := <-w.written
		w.running--
		var refused *refusedError
		if err := turn.result.Err; err != nil && !errors.As(err, &refused) {
			cancel(err) // the first cause counts
			turn.result.Err = stopped(ctx)
		}
		w.count(turn.result)
		turn.request.Done(turn.result)
	}
	return context.Cause(ctx)
}

// start sends what is queued. After the end of ctx nothing leaves any more.
func (w *Writer) start(ctx context.Context) {
	w.running += len(w.waiting)
	for _, r := range w.waiting {
		go func() { w.written <- written{r, w.server.write(ctx, r)} }()
	}
	w.waiting = nil
}

// stopped is the result of a turn that has not failed, and can be asked for again.
func stopped(ctx context.Context) error {
	return fmt.Errorf("%w: %w", engine.ErrStopped, context.Cause(ctx))
}

// count adds the tokens of a turn.
func (w *Writer) count(r engine.Result) {
	w.stats.Prefilled += r.Prompt - r.Reused
	w.stats.Reused += r.Reused
	w.stats.Decoded += r.Decoded
}
