package feedback

import (
	"crypto/sha256"
	"encoding/binary"

	"amend/engine"
	"amend/engine/internal/content"
)

// Key names an answer by all that made it: the exact token ids of the question and of the answers that were compared,
// model and settings, and for a reasoning its sampling, limit and seed.
type Key [sha256.Size]byte

// Answer is what the engine gave for one question: how likely either answer is, and the reasoning before it, if any.
type Answer struct {
	LogProbs [2]float64
	Text     string // of the reasoning, up to the stem of the answer

	Prompt, Reused, Decoded int // tokens, as in engine.Result
}

// Memory keeps answers. One that it recalls is not computed again: so a killed run goes on, and an edited constitution
// costs only the judgements under what was edited.
type Memory interface {
	// Recall returns the answer of this key; ok is false where there is none.
	Recall(Key) (a Answer, ok bool, err error)
	// Remember keeps an answer. When it returns, a killed process does not lose it.
	Remember(Key, Answer) error
}

// PairSeed is the seed of a pair's draws: it depends on the run's seed and the pair's id alone.
func PairSeed(run uint64, id string) uint64 {
	e := content.Encoder("amend pair 1")
	e.Number(run)
	e.Text(id)
	return first(e.Sum())
}

// reasoningSeed is the seed of one reasoning's random stream.
func reasoningSeed(pair uint64, principle string, swapped bool, n int) uint64 {
	e := content.Encoder("amend reasoning 1")
	e.Number(pair)
	e.Text(principle)
	if swapped {
		e.Number(1)
	}
	e.Number(uint64(n))
	return first(e.Sum())
}

func first(sum [sha256.Size]byte) uint64 { return binary.LittleEndian.Uint64(sum[:]) }

// key is that of an answer to be asked for; seed counts where it is reasoned.
func (j *Judge) key(prompt []engine.Token, options [][]engine.Token, seed uint64) Key {
	e := content.Encoder("amend judgement 1")
	e.Text(j.environment)
	e.Tokens(prompt)
	e.Number(uint64(len(options)))
	for _, o := range options {
		e.Tokens(o)
	}
	if s := j.settings; s.Reasonings > 0 {
		e.Sampling(s.Sampling)
		e.Number(uint64(s.MaxTokens))
		e.Number(seed)
		for _, stop := range append(j.format.Stops(), AnswerStem) {
			e.Text(stop)
		}
	}
	return e.Sum()
}
