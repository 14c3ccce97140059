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

	"amend/engine/internal/kvcache"
	"amend/engine/internal/sched"
)

// Config are the engine's own settings.
type Config struct {
	// NoReuse computes every request from its first token: the slow way, to
	// compare with.
	NoReuse bool
	// Verify compares the prefix tree with the cache after every step.
	Verify bool
	// AfterStep, if set, is called after every step on the engine's goroutine,
	// to show progress.
	AfterStep func()
}

// Engine runs requests on one Backend. It is not safe for concurrent use:
// Submit, Pin and Run are called from one goroutine, Done is called on it.
type Engine struct {
	backend Backend
	vocab   Vocab
	config  Config
	limits  Limits

	tree    *kvcache.Tree
	waiting []*Request
	active  map[int]*turn // by sequence
	batch   []Input
	admits  int
	crowded bool // a turn was preempted and none has ended since
	stats   Stats
}

// New returns an engine with an empty cache.
func New(b Backend, v Vocab, c Config) (*Engine, error) {
	l := b.Limits()
	if l.Sequences < 1 || l.Context < 2 || l.Batch < l.Sequences {
		return nil, fmt.Errorf("a context of %d sequences of %d tokens with batches of %d cannot run: batches must hold a token of every sequence", l.Sequences, l.Context, l.Batch)
	}
	return &Engine{
		backend: b, vocab: v, config: c, limits: l,
		tree: kvcache.New(l.Sequences), active: map[int]*turn{},
	}, nil
}

// Submit queues a request. It fails with a *TooLongError when the request can
// never fit, and then Done is not called.
func (e *Engine) Submit(r *Request) error {
	if len(r.Tokens) == 0 || r.MaxTokens < 1 {
		return fmt.Errorf("a request of %d tokens to generate %d: both must be at least 1", len(r.Tokens), r.MaxTokens)
	}
	if room := e.room(); len(r.Tokens)+r.MaxTokens > room {
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

// Run works until no request is left, or ctx ends. Requests that are not
// finished then get ErrStopped as their result.
func (e *Engine) Run(ctx context.Context) error {
	for len(e.waiting)+len(e.active) > 0 {
		if err := ctx.Err(); err != nil {
			return e.abandon(err)
		}
		e.admitAll()
		if len(e.active) == 0 {
			e.failFirst()
			continue
		}
		if err := e.step(ctx); err != nil {
			return e.abandon(err)
		}
		if err := e.verify(); err != nil {
			return e.abandon(err)
		}
		if e.config.AfterStep != nil {
			e.config.AfterStep()
		}
	}
	return nil
}

// step computes one batch: a prefill or a decode step of all active turns.
func (e *Engine) step(ctx context.Context) error {
	jobs := make([]sched.Job, 0, len(e.active))
	for seq, t := range e.active {
		jobs = append(jobs, sched.Job{Seq: seq, Prefill: max(0, len(t.request.Tokens)-e.tree.Computed(seq))})
	}
	plan := sched.Next(jobs, e.limits.Batch)
	outputs := e.fill(plan)
	err := e.timed(plan, func() error { return e.backend.Decode(ctx, e.batch) })
	if errors.Is(err, ErrNoSlot) {
		return e.preempt()
	}
	if err != nil {
		return err
	}
	for _, c := range plan {
		e.tree.Compute(c.Seq, e.tree.Computed(c.Seq)+c.Tokens)
	}
	for _, o := range outputs {
		e.sampleNext(o)
	}
	return nil
}

// output is a place in the batch whose logits give a turn its next token.
type output struct {
	turn  *turn
	index int
}

// fill writes the planned tokens into the batch and returns where logits come.
func (e *Engine) fill(plan []sched.Chunk) []output {
	e.batch = e.batch[:0]
	var outputs []output
	for _, c := range plan {
		t := e.active[c.Seq]
		from := e.tree.Computed(c.Seq)
		for i := range c.Tokens {
			pos := from + i
			last := pos == t.length()-1
			if last {
				outputs = append(outputs, output{turn: t, index: len(e.batch)})
			}
			e.batch = append(e.batch, Input{Token: t.at(pos), Pos: int32(pos), Seq: c.Seq, Logits: last})
		}
	}
	return outputs
}

// sampleNext draws a turn's next token, and ends the turn when that is due.
func (e *Engine) sampleNext(o output) {
	t := o.turn
	logits, err := e.backend.Logits(o.index)
	if err != nil {
		e.finish(t, "", fmt.Errorf("reading logits: %w", err))
		return
	}
	token, err := t.sampler.sample(logits)
	if err != nil {
		e.finish(t, "", err)
		return
	}
	e.stats.Decoded++
	t.decoded++
	if e.vocab.Ends(token) {
		e.finish(t, EndToken, nil)
		return
	}
	if end := t.add(token, e.vocab.Piece(token)); end != "" {
		e.finish(t, end, nil)
		return
	}
	e.tree.Append(t.seq, token)
}

// finish gives a turn's sequence free, with its KV, and delivers the result.
func (e *Engine) finish(t *turn, end End, err error) {
	e.release(t)
	e.crowded = false
	t.request.Done(t.result(end, err))
}

func (e *Engine) release(t *turn) {
	e.tree.Truncate(t.seq, e.tree.Computed(t.seq))
	e.tree.Unlock(t.seq)
	delete(e.active, t.seq)
}

// ErrStopped is what requests get that were not finished when the engine
// stopped; it wraps the cause. They have not failed, they can be run again.
var ErrStopped = errors.New("the engine stopped before this turn was finished")

// abandon ends all requests because of cause and returns it.
func (e *Engine) abandon(cause error) error {
	err := fmt.Errorf("%w: %w", ErrStopped, cause)
	for seq := range e.limits.Sequences {
		if t := e.active[seq]; t != nil {
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
