package feedback

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
)

// Settings say how pairs are judged.
type Settings struct {
	Layout     Layout
	Principles int    // drawn for each pair; fewer where fewer apply
	Seed       uint64 // of the draws, and of reasonings
	// MinMass is the least probability of the two answers together for a judgement to be valid, from 0 to 1.
	MinMass float64
	// Reasonings is how often the judge thinks, each time anew, before it answers; 0 asks for the answer straight away.
	Reasonings int
	// Clamp holds probabilities behind reasonings between these two: the judge is too sure of what it has just said (Bai et al.
	// 2022, section 4.1).
	Clamp     [2]float64
	MaxTokens int // of a reasoning
	Sampling  engine.Sampling
}

// Judge judges pairs. It is not safe for concurrent use.
type Judge struct {
	format   *chat.Formatter
	doc      *constitution.Document
	settings Settings
	shots    []chat.Message
	prefix   []engine.Token

	memory      Memory // nil: everything is computed
	environment string

	engine *engine.Engine // of the run under way
	ctx    context.Context
	ending context.Context // its end lets nothing new begin
	next   func() (Pair, bool)
	emit   func(Label) error
	err    error
	stop   context.CancelFunc
}

// New prepares a judge: it tokenizes the constitution's worked judgements. Every principle must have a judge
// instruction.
func New(ctx context.Context, f *chat.Formatter, doc *constitution.Document, s Settings) (*Judge, error) {
	for _, p := range doc.Principles {
		if p.JudgeInstruction == "" {
			return nil, fmt.Errorf("principle %s of constitution %s has no judge_instruction, and the document no template for one: give it one, or leave it out with --principles", p.ID, doc.Name)
		}
	}
	j := &Judge{format: f, doc: doc, settings: s}
	shots, err := f.Tokenize(ctx, Shots(doc, s.Layout, s.Reasonings > 0))
	if err != nil {
		return nil, fmt.Errorf("tokenizing the worked judgements of constitution %s: %w", doc.Name, err)
	}
	j.shots = shots
	if j.prefix, err = f.Prefix(ctx, shots); err != nil {
		return nil, fmt.Errorf("preparing the judge's preamble: %w", err)
	}
	return j, nil
}

// Prefix are the tokens that all judgements start with: for engine.Pin, before Run. The caller does not change them.
func (j *Judge) Prefix() []engine.Token { return j.prefix }

// Use makes the judge take judgements from m and keep them there. environment names the model and the settings that its
// logits depend on. Only before Run.
func (j *Judge) Use(m Memory, environment string) { j.memory, j.environment = m, environment }

// Need is the most tokens that a judgement of the pair can come to hold.
func (j *Judge) Need(ctx context.Context, in Pair) (int, error) {
	longest := 0
	for _, p := range j.principles(in) {
		for _, swapped := range []bool{false, true} {
			c, err := j.open(ctx, in, p, swapped)
			if err != nil {
				return 0, err
			}
			longest = max(longest, len(c.Tokens))
		}
	}
	const answer = len(AnswerStem+answerA) + 2 // tokens of stem and answer: no tokenizer makes more than one of a byte
	if j.settings.Reasonings > 0 {
		longest += j.settings.MaxTokens
	}
	return longest + answer, ctx.Err()
}

// principles draws those of a pair.
func (j *Judge) principles(in Pair) []constitution.Principle {
	return j.doc.DrawSeveral(PairSeed(j.settings.Seed, in.ID), j.settings.Principles, in.Where)
}

// open writes a judgement down, up to where the answer begins.
func (j *Judge) open(ctx context.Context, in Pair, p constitution.Principle, swapped bool) (*chat.Conversation, error) {
	a, b := in.First, in.Second
	if swapped {
		a, b = b, a
	}
	question := p.JudgeInstruction
	if j.settings.Reasonings > 0 {
		question += ThinkFirst
	}
	text := j.settings.Layout.Join(Options(in.Messages, a, b), question)
	return j.format.Open(ctx, append(slices.Clone(j.shots), chat.Message{Role: chat.User, Text: text}))
}

// Run takes pairs from next, judges them with up to parallel judgements at once in e, and gives each label to emit, in
// the order in which they are done. An error of emit stops the run. When ctx ends, what is under way is finished and
// remembered, and Run returns ctx's error; labels that were not finished are not emitted.
func (j *Judge) Run(ctx context.Context, e *engine.Engine, parallel int, next func() (Pair, bool), emit func(Label) error) error {
	j.ctx, j.stop = context.WithCancel(context.WithoutCancel(ctx))
	defer j.stop()
	j.ending = ctx
	j.engine, j.next, j.emit, j.err = e, next, emit, nil
	for range max(1, (parallel+1)/2) { // a pair is judged in both orders side by side
		j.startNext()
	}
	err := e.Run(j.ctx)
	if j.err != nil {
		return j.err
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// startNext starts pairs until one waits for the engine.
func (j *Judge) startNext() {
	for !j.over() {
		in, ok := j.next()
		if !ok {
			return
		}
		if j.newPair(in).begin() {
			return
		}
	}
}

// over reports whether nothing further is to be asked.
func (j *Judge) over() bool { return j.err != nil || j.ctx.Err() != nil || j.ending.Err() != nil }

// deliver emits a label.
func (j *Judge) deliver(l Label) {
	if j.err != nil {
		return
	}
	if err := j.emit(l); err != nil {
		j.halt(fmt.Errorf("saving the label of pair %s: %w", l.ID, err))
	}
}

// halt ends the whole run.
func (j *Judge) halt(err error) {
	if j.err == nil {
		j.err = err
	}
	j.stop()
}

// stopped tells the end of the whole run from a pair's own failure.
func stopped(err error) bool {
	return errors.Is(err, engine.ErrStopped) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
