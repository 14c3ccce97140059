package feedback

import (
	"context"
	"errors"
	"fmt"

	"amend/constitution"
	"amend/engine"
)

// Session is a judge at work on an engine, in a run of its own (Judge.Run) or in somebody else's, whose turns it judges.
// All of it happens on the engine's goroutine.
type Session struct {
	judge  *Judge
	engine *engine.Engine // nil: nothing is computed, only what is remembered is taken
	ctx    context.Context
	over   func() bool // nothing further is to be asked
	stop   func()      // ends the run, which is being ended from elsewhere
	halt   func(error) // ends it with a reason
}

// Start makes the judge work in a run. ctx is the run's; over says that nothing further is to be asked, halt ends the run
// with an error, or without one where it only shares an end that came from elsewhere. A nil engine takes only what is
// remembered.
func (j *Judge) Start(ctx context.Context, e *engine.Engine, over func() bool, halt func(error)) *Session {
	return &Session{judge: j, engine: e, ctx: ctx, over: over, stop: func() { halt(nil) }, halt: halt}
}

// Judge judges a pair in both orders under the given principles. done gets the label and what it took once, unless the run ends before:
// when everything is remembered, before Judge returns, which then returns false. Else Judge returns true, and done is
// called when the engine has given the last answer.
func (s *Session) Judge(in Pair, principles []constitution.Principle, done func(Label, Cost)) bool {
	p := s.newPair(in, principles)
	p.done = done
	return p.begin()
}

// run is a Judge.Run under way.
type run struct {
	*Session
	ending context.Context // its end lets nothing new begin
	next   func() (Pair, bool)
	emit   func(Label) error
	err    error
	cancel context.CancelFunc
}

// Run takes pairs from next, judges them with up to parallel judgements at once in e, and gives each label to emit, in
// the order in which they are done. An error of emit stops the run. When ctx ends, what is under way is finished and
// remembered, and Run returns ctx's error; labels that were not finished are not emitted.
func (j *Judge) Run(ctx context.Context, e *engine.Engine, parallel int, next func() (Pair, bool), emit func(Label) error) error {
	r := &run{ending: ctx, next: next, emit: emit}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	r.cancel = cancel
	r.Session = j.Start(running, e, r.isOver, r.end)
	for range max(1, (parallel+1)/2) { // a pair is judged in both orders side by side
		r.startNext()
	}
	err := e.Run(running)
	if r.err != nil {
		return r.err
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// startNext starts pairs until one waits for the engine.
func (r *run) startNext() {
	for !r.over() {
		in, ok := r.next()
		if !ok {
			return
		}
		p := r.newPair(in, r.judge.draw(in))
		p.done, p.idle = r.deliver, r.startNext
		if p.begin() {
			return
		}
	}
}

// isOver reports whether nothing further is to be asked.
func (r *run) isOver() bool { return r.err != nil || r.ctx.Err() != nil || r.ending.Err() != nil }

// deliver emits a label.
func (r *run) deliver(l Label, _ Cost) {
	if r.err != nil {
		return
	}
	if err := r.emit(l); err != nil {
		r.end(fmt.Errorf("saving the label of pair %s: %w", l.ID, err))
	}
}

// end ends the whole run.
func (r *run) end(err error) {
	if r.err == nil {
		r.err = err
	}
	r.cancel()
}

// stopped tells the end of the whole run from a pair's own failure.
func stopped(err error) bool {
	return errors.Is(err, engine.ErrStopped) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
