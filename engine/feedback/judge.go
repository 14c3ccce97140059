package feedback

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/digest"
	"amend/engine/sample"
)

// Settings say how pairs are judged. The key tags say what a field changes (package digest): "turn" is the key of a
// judgement, "run" the set that labels are of.
type Settings struct {
	// Layout shows in a judgement's ids.
	Layout PromptOrder `key:"run"`
	// Principles is how many are drawn for each pair; fewer where fewer apply. Each has judgements of its own.
	Principles int `key:"run"`
	// Seed is of the draws, and of reasonings, whose keys hold a seed that is derived from it.
	Seed uint64 `key:"run"`
	// MinMass is the least probability of the two answers together for a judgement to be valid, from 0 to 1. It is compared
	// with what was computed.
	MinMass float64 `key:"run"`
	// Reasonings is how often the judge thinks, each time with other random numbers, before it answers; 0 asks for the answer straight away. Each
	// has a key of its own, which does not say how many others there are.
	Reasonings int `key:"run"`
	// Clamp holds probabilities after reasonings between these two: the judge is too sure of what it has just said (Bai et al.
	// 2022, section 4.1). It is applied to what was computed.
	Clamp [2]float64 `key:"run"`
	// MaxTokens is the limit of a reasoning. MaxTokens and Sampling are in keys only where there are reasonings.
	MaxTokens int           `key:"turn"`
	Sampling  sample.Params `key:"turn"`
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
}

// Check reports a principle that cannot be judged under.
func Check(doc *constitution.Document) error {
	for _, p := range doc.Principles {
		if p.JudgeInstruction == "" {
			return fmt.Errorf("principle %s of constitution %s has no judge_instruction, and the document no template for one: give it one, or leave the principle out", p.ID, doc.Name)
		}
	}
	return nil
}

// New prepares a judge: it tokenizes the constitution's worked judgements. Every principle must have a judge
// instruction.
func New(ctx context.Context, f *chat.Formatter, doc *constitution.Document, s Settings) (*Judge, error) {
	if err := Check(doc); err != nil {
		return nil, err
	}
	if s.Layout == ByPrinciple && s.Reasonings > 0 {
		return nil, errors.New("no reasons come before an answer about one response: leave reasonings out, or take another layout")
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

// NewReader prepares a judge that is shown nothing and asked about critiques alone (NothingFound). An answer counts where its two
// words have at least this probability together.
func NewReader(f *chat.Formatter, minMass float64) *Judge {
	return &Judge{format: f, settings: Settings{MinMass: minMass}}
}

// Prefix are the tokens that all judgements start with: for engine.Pin, before Run. The caller does not change them.
func (j *Judge) Prefix() []engine.Token { return j.prefix }

// Use makes the judge take judgements from m and keep them there. environment names the model and the settings that its
// logits depend on. Only before Run.
func (j *Judge) Use(m Memory, environment string) { j.memory, j.environment = m, environment }

// Need is the room that judgements can come to need, in tokens.
type Need struct {
	Tokens   int // the most of one judgement
	Unshared int // the most of one that does not begin with Judge.Prefix
}

// With is the room for what either needs.
func (n Need) With(m Need) Need {
	return Need{max(n.Tokens, m.Tokens), max(n.Unshared, m.Unshared)}
}

// Need is what judgements of the pair can come to need.
func (j *Judge) Need(ctx context.Context, in Pair) (Need, error) {
	return j.NeedUnder(ctx, in, j.draw(in))
}

// NeedUnder is Need where the principles are not drawn.
func (j *Judge) NeedUnder(ctx context.Context, in Pair, principles []constitution.Principle) (n Need, err error) {
	most := len(AnswerStem+answerA) + 2 // tokens of stem and answer: no tokenizer makes more than one of a byte
	if j.settings.Reasonings > 0 {
		most += j.settings.MaxTokens
	}
	for _, p := range principles {
		for _, swapped := range []bool{false, true} {
			c, err := j.open(ctx, in, p, swapped)
			if err != nil {
				return n, err
			}
			one := Need{Tokens: len(c.Tokens) + most}
			if !j.shows(p) {
				one.Unshared = one.Tokens
			}
			n = n.With(one)
		}
	}
	return n, ctx.Err()
}

// shows reports whether worked judgements stand before those under a principle.
func (j *Judge) shows(p constitution.Principle) bool {
	return j.settings.Layout != ByPrinciple || j.settings.Layout.alone(p)
}

// draw draws the principles of a pair.
func (j *Judge) draw(in Pair) []constitution.Principle {
	return j.doc.DrawSeveral(digest.PairSeed(j.settings.Seed, in.ID), j.settings.Principles, in.Attributes)
}

// open writes a judgement down, up to where the answer begins.
func (j *Judge) open(ctx context.Context, in Pair, p constitution.Principle, swapped bool) (*chat.Conversation, error) {
	var shots []chat.Message
	if j.shows(p) {
		shots = slices.Clone(j.shots)
	}
	c, err := j.format.Open(ctx, append(shots, chat.Message{Role: chat.User, Text: j.text(in, p, swapped)}))
	if err != nil {
		return nil, err
	}
	return c.Answer()
}

// text is what a judgement asks. Alone, the second of its two shows the second response.
func (j *Judge) text(in Pair, p constitution.Principle, swapped bool) string {
	a, b := in.First, in.Second
	if swapped {
		a, b = b, a
	}
	if j.settings.Layout.alone(p) {
		return single(in.Messages, a) + "\n\n" + p.VerdictRequest
	}
	question := p.JudgeInstruction
	if j.settings.Reasonings > 0 {
		question += ThinkFirst
	}
	return j.settings.Layout.Join(Options(in.Messages, a, b), question)
}
