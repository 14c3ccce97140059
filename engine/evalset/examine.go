package evalset

import (
	"context"
	"errors"
	"fmt"

	"amend/engine"
	"amend/engine/chat"
)

// Examiner puts the items of a set to a model. It is not safe for concurrent use.
type Examiner struct {
	Set Set
	// Tokens, where it is set, has items with options written as transcripts, which the field's figures are of. All others are
	// written by Format.
	Tokens Tokenizer
	Format *chat.Formatter
	Think  chat.ThinkTags // of the model's template: thoughts are no part of an answer
	// MaxTokens is the limit of an answer.
	MaxTokens int
}

// question is an item as token ids.
type question struct {
	item    Item
	prompt  []engine.Token
	tail    string // of the prompt, as text: what the template writes before an answer
	options [][]engine.Token
}

func (x *Examiner) question(ctx context.Context, it Item) (q question, err error) {
	q.item = it
	if x.Tokens != nil && it.Options != nil {
		q.prompt, q.options, err = tokens(x.Tokens, x.Set, it)
		return q, err
	}
	asked, err := x.Format.Open(ctx, it.Messages)
	if err == nil && it.Options != nil {
		asked, err = asked.Answer()
	}
	if err != nil {
		return q, err
	}
	q.prompt, q.tail = asked.Tokens, asked.Tail
	for i, o := range it.Options {
		ids, err := asked.Reply(ctx, o.Text)
		if err != nil {
			return q, fmt.Errorf("option %d: %w", i+1, err)
		}
		q.options = append(q.options, ids)
	}
	return q, nil
}

// Need is the most tokens that an item can come to hold, in its prompt and one answer.
func (x *Examiner) Need(ctx context.Context, it Item) (int, error) {
	q, err := x.question(ctx, it)
	if err != nil {
		return 0, err
	}
	longest := 0
	for _, o := range q.options {
		longest = max(longest, len(o))
	}
	if q.options == nil {
		longest = x.MaxTokens
	}
	return len(q.prompt) + longest, nil
}

// session is an Examiner.Run under way.
type session struct {
	*Examiner
	ctx    context.Context // of the run
	ending context.Context // its end lets nothing new begin
	engine *engine.Engine
	next   func() (Item, bool)
	emit   func(Result) error
	err    error
	cancel context.CancelFunc
}

// Run takes items from next, puts up to parallel of them to the model in e at once, and gives each result to emit, in the
// order in which they are done. An item that cannot be put to the model has a result with an error. An error of emit ends
// the run. When ctx ends, what is under way is finished and emitted, and Run returns ctx's error.
func (x *Examiner) Run(ctx context.Context, e *engine.Engine, parallel int, next func() (Item, bool), emit func(Result) error) error {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	s := &session{Examiner: x, ctx: running, ending: ctx, engine: e, next: next, emit: emit, cancel: cancel}
	for range max(1, parallel) {
		s.startNext()
	}
	err := e.Run(running)
	if s.err != nil {
		return s.err
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// startNext starts items until one waits for the engine.
func (s *session) startNext() {
	for s.err == nil && s.ending.Err() == nil {
		it, ok := s.next()
		if !ok {
			return
		}
		q, err := s.question(s.ctx, it)
		if err == nil {
			err = s.ask(q)
		}
		if err == nil {
			return
		}
		s.deliver(Result{ID: it.ID}, err)
	}
}

// ask puts a question to the engine.
func (s *session) ask(q question) error {
	if q.options == nil {
		return s.engine.Submit(&engine.Request{
			Tokens: q.prompt, MaxTokens: s.MaxTokens, Stop: s.Format.Stops(),
			Done: func(r engine.Result) {
				s.deliver(s.answer(q, r))
				s.startNext()
			},
		})
	}
	return s.engine.Score(&engine.Score{Tokens: q.prompt, Options: q.options, Done: func(r engine.Scores) {
		out := Result{ID: q.item.ID}
		for i, logProbs := range r.LogProbs {
			sum := 0.0
			for _, p := range logProbs {
				sum += p
			}
			out.LogProbs = append(out.LogProbs, sum)
			out.Tokens = append(out.Tokens, len(q.options[i]))
		}
		s.deliver(out, r.Err)
		s.startNext()
	}})
}

// answer is what the model said, without its thoughts.
func (s *session) answer(q question, r engine.Result) (Result, error) {
	out := Result{ID: q.item.ID, Cut: r.End == engine.EndLength}
	if r.Err != nil {
		return out, r.Err
	}
	_, _, start := chat.SplitThink(r.Text, s.Think, chat.PromptOpensThink(q.tail, s.Think))
	kept, err := s.Format.Keep(r.Tokens, r.Text, start)
	out.Answer = kept.Text
	return out, err
}

// deliver emits a result, or that there is none. What only shares the end of the whole run is no result.
func (s *session) deliver(r Result, err error) {
	if s.err != nil || errors.Is(err, engine.ErrStopped) || errors.Is(err, context.Canceled) {
		return
	}
	if err != nil {
		r = Result{ID: r.ID, Error: err.Error()}
	}
	if err := s.emit(r); err != nil {
		s.err = fmt.Errorf("saving the result of item %s: %w", r.ID, err)
		s.cancel()
	}
}
