package feedback

import (
	"amend/engine"
	"amend/engine/digest"
)

// Key names an answer by all that made it: the exact token ids of the question and of the answers that were compared,
// model and settings, and for a reasoning its sampling, limit and seed.
type Key digest.Sum

// Answer is what the engine gave for one question: how likely either answer is, and the reasoning before it, if any.
type Answer struct {
	LogProbs [2]float64
	Text     string // of the reasoning, up to the stem of the answer

	Prompt, Reused, Decoded int // tokens, as in engine.Result
}

// Memory keeps answers. One that it recalls is not computed again: so a killed run goes on, and an edited constitution
// costs only the judgements under what was edited.
type Memory interface {
	// Get returns the answer of this key; ok is false where there is none.
	Get(Key) (a Answer, ok bool, err error)
	// Put keeps an answer. When it returns, a killed process does not lose it.
	Put(Key, Answer) error
}

// key is that of an answer to be asked for; seed counts where it is reasoned.
func (j *Judge) key(prompt []engine.Token, options [][]engine.Token, seed uint64) Key {
	e := digest.New(digest.JudgementDomain)
	e.Text(j.environment)
	e.Tokens(prompt)
	e.Int(len(options))
	for _, o := range options {
		e.Tokens(o)
	}
	if s := j.settings; s.Reasonings > 0 {
		s.Sampling.Encode(&e)
		e.Int(s.MaxTokens)
		e.Number(seed)
		for _, stop := range append(j.format.Stops(), AnswerStem) {
			e.Text(stop)
		}
	}
	return Key(e.Sum())
}
