// Package engine turns requests for turns into llama_decode calls: many
// sequences of one context at once, each distinct prefix computed once.
//
// The life of a request:
//
//	Submit → waiting → admit: the prefix tree finds what is in the KV cache,
//	a sequence is taken over or forked → prefill in chunks → decode, one
//	token a step with all others → Done, which may submit the next turn.
//
// A finished sequence keeps its KV until something needs its place, so the
// next turn of the same conversation computes only its new tokens.
package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"amend/engine/internal/kvcache"
	"amend/engine/internal/sched"
)

// Config are the engine's own settings.
type Config struct {
	// NoReuse computes every request from its first token: the slow way, to
	// compare with.
	NoReuse bool
	// NoFork reuses only what a sequence itself held before: what a cache for
	// each conversation gives, to compare with.
	NoFork bool
	// Pins, if set, keeps what Pin computes from one run to the next.
	Pins *PinCache
	// Verify compares the prefix tree with the cache after every step.
	Verify bool
	// AfterStep, if set, is called after every step on the engine's goroutine, those of Pin included, to show progress.
	AfterStep func()
}

// Engine runs requests on one Backend. It is not safe for concurrent use:
// Submit, Score, Pin and Run are called from one goroutine, Done is called on
// it.
type Engine struct {
	backend Backend
	vocab   Vocab
	config  Config
	limits  Limits

	tree         *kvcache.Tree
	planner      sched.Planner
	waiting      []*Request
	active       []*turn // by sequence; nil where none runs
	running      int     // turns in active
	admits       int
	overCapacity bool // a turn was preempted and none has ended since
	stats        Stats
	shared       []Token // the pinned prefix that turns read without holding it, if any
	reads        []int   // by sequence: how many tokens of it, all or none

	// Of one step, kept to be used again.
	batch   []Input
	jobs    []sched.Job
	outputs []output
	drafted []Token
}

// New returns an engine with an empty cache.
func New(b Backend, v Vocab, c Config) (*Engine, error) {
	l := b.Limits()
	if l.Outputs == 0 {
		l.Outputs = l.Batch
	}
	if l.Sequences < 1 || l.Context < 2 || min(l.Batch, l.Outputs) < l.Sequences {
		return nil, fmt.Errorf("a context of %d sequences of %d tokens with batches of %d and %d outputs cannot run: batches must hold a token of every sequence", l.Sequences, l.Context, l.Batch, l.Outputs)
	}
	return &Engine{
		backend: b, vocab: v, config: c, limits: l,
		tree: kvcache.New(l.Sequences), active: make([]*turn, l.Sequences), reads: make([]int, l.Sequences),
		planner: sched.Planner{Batch: l.Batch, Outputs: l.Outputs, Streams: !l.Unified},
	}, nil
}

// Submit queues a request. It fails with a *TooLongError when the request can
// never fit, and then Done is not called.
func (e *Engine) Submit(r *Request) error {
	if len(r.Tokens) == 0 || r.MaxTokens < 1 {
		return fmt.Errorf("a request of %d tokens to generate %d: both must be at least 1", len(r.Tokens), r.MaxTokens)
	}
	return e.queue(r)
}

func (e *Engine) queue(r *Request) error {
	if room := e.roomFor(r.Tokens); len(r.Tokens)+r.MaxTokens > room {
		return &TooLongError{Prompt: len(r.Tokens), MaxTokens: r.MaxTokens, Context: room}
	}
	e.waiting = append(e.waiting, r)
	return nil
}

// room is the most tokens one request may hold.
func (e *Engine) room() int {
	if e.limits.Unified {
		return min(e.limits.Context, e.limits.Cells)
	}
	return e.limits.Context
}

// roomFor is the most tokens that a request with this prompt may hold: more
// where it goes on from a prefix whose cells it does not fill itself.
func (e *Engine) roomFor(tokens []Token) int {
	if n := len(e.shared); n > 0 && len(tokens) > n && slices.Equal(tokens[:n], e.shared) {
		return n + e.room()
	}
	return e.room()
}

// Run works until no request is left, or ctx ends. Requests that are not
// finished then get ErrStopped as their result. It keeps to one thread, which
// owns the backend's context meanwhile.
func (e *Engine) Run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := time.Now()
	defer func() { e.stats.RunTime += time.Since(start) }()
	for len(e.waiting)+e.running > 0 {
		if err := ctx.Err(); err != nil {
			return e.abandon(err)
		}
		e.admitAll()
		if e.running == 0 {
			e.failFirst()
			continue
		}
		e.compact()
		if err := e.step(ctx); err != nil {
			return e.abandon(err)
		}
		if err := e.verify(); err != nil {
			return e.abandon(err)
		}
		e.afterStep()
	}
	return nil
}

func (e *Engine) afterStep() {
	if e.config.AfterStep != nil {
		e.config.AfterStep()
	}
}

// finish gives a turn's sequence free, with its KV, and delivers the result.
func (e *Engine) finish(t *turn, end End, err error) {
	err = errors.Join(err, e.release(t))
	e.overCapacity = false
	t.request.Done(t.result(end, err))
}

// release gives a turn's sequence free. Its error is that of closing the
// turn's grammar.
func (e *Engine) release(t *turn) error {
	e.tree.Truncate(t.seq, e.tree.Computed(t.seq))
	e.tree.Unlock(t.seq)
	e.active[t.seq] = nil
	e.running--
	return t.sampler.Close()
}

// ErrStopped is what requests get that were not finished when the engine
// stopped; it wraps the cause. They have not failed, they can be run again.
var ErrStopped = errors.New("the engine stopped before this turn was finished")

// abandon ends all requests because of cause and returns it.
func (e *Engine) abandon(cause error) error {
	err := fmt.Errorf("%w: %w", ErrStopped, cause)
	for _, t := range e.active {
		if t != nil {
			e.finish(t, "", err)
		}
	}
	for len(e.waiting) > 0 {
		r := e.waiting[0]
		e.waiting = e.waiting[1:]
		r.Done(Result{Prompt: len(r.Tokens), Err: err})
	}
	return cause
}

func (e *Engine) verify() error {
	if !e.config.Verify {
		return nil
	}
	if err := e.tree.Check(e.backend.Positions); err != nil {
		return fmt.Errorf("the prefix tree and the KV cache disagree: %w", err)
	}
	return nil
}
