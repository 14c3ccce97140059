package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// The files of a worker's two pipes.
const (
	toParent   = 3
	fromParent = 4
)

// exitOrphaned is the exit code of a worker whose parent is gone. Nobody reads it.
const exitOrphaned = 75

// ErrNotStarted ends a worker process that no parent has started.
var ErrNotStarted = errors.New("this command is for processes that amend starts itself")

// Main is a worker process: it takes a job from its parent, has the handler of that kind do it, and tells the parent how
// it ended. encode makes an error travel. The job ends with ctx, or when the parent says so. An error is about the process
// itself; the job's own goes to the parent.
func Main(ctx context.Context, handlers map[string]Handler, encode func(error) *Failure) error {
	leaveSignalsToParent()
	out, in := os.NewFile(toParent, "to the parent"), os.NewFile(fromParent, "from the parent")
	if out == nil || in == nil {
		return ErrNotStarted
	}
	keepFromChildren(out, in)
	l := newLink(in, out)
	var job Job
	if err := l.dec.Decode(&job); err != nil {
		return fmt.Errorf("%w: %w", ErrNotStarted, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := connect(l, job.Level, func(s Signal) { cancel(s) }, func() { os.Exit(exitOrphaned) })
	end := message{Kind: final}
	handler, ok := handlers[job.Kind]
	err := fmt.Errorf("there is no job of kind %q", job.Kind)
	if ok {
		end.Body, err = handler(ctx, job, c)
	}
	if err != nil {
		end.Failure = encode(err)
	}
	return errors.Join(c.tell(end), c.closeAll())
}

// here does a job in this process.
func here(ctx context.Context, job Job, handler Handler, host Host) ([]byte, error) {
	var last answer
	c := &Client{log: host.Log, receive: func() answer { return last }}
	c.send = func(m message) error {
		switch m.Kind {
		case call:
			last = host.answer(m)
		case notify:
			host.notify(m)
		case begin, logged, final: // nobody has to know
		}
		return nil
	}
	result, err := handler(ctx, job, c)
	return result, errors.Join(err, c.closeAll())
}

// answer calls the method that a message names.
func (h Host) answer(m message) answer {
	method, ok := h.Methods[m.Name]
	if !ok {
		return answer{Failed: true, Text: fmt.Sprintf("the parent process has no method %q", m.Name)}
	}
	body, err := method(m.Body)
	if err != nil {
		return answer{Failed: true, Text: err.Error()}
	}
	return answer{Body: body}
}

func (h Host) notify(m message) {
	if h.Notify != nil {
		h.Notify(m.Name, m.Body)
	}
}
