package engine

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"amend/engine/digest"
)

// Sampling says how a token is drawn from logits. The chain is
//
//	penalties, bias → grammar → top-k → top-p → min-p → temperature
//
// Everything up to min-p acts on the distribution at temperature 1, and the
// temperature on what is left: the order that llama.cpp's own chain uses. The
// zero value takes the most likely token and changes nothing. All of it is part
// of a turn's key (package digest): another token may come by any field.
type Sampling struct {
	Temperature float64 `key:"turn" yaml:"temperature"` // 0 takes the most likely token, the lowest id among equals
	TopK        int     `key:"turn" yaml:"top-k"`       // keep the K most likely tokens; 0 keeps all
	TopP        float64 `key:"turn" yaml:"top-p"`       // keep the most likely tokens that make up this much; 0 or 1 keeps all
	MinP        float64 `key:"turn" yaml:"min-p"`       // keep tokens at least this likely relative to the best; 0 keeps all

	// RepetitionPenalty divides positive logits of tokens that the turn has
	// generated, and multiplies negative ones (after Keskar et al. 2019, "CTRL",
	// section 4.1); 0 or 1 is off. Like the other penalties it leaves out the
	// prompt: a revision is to copy most of the draft that its prompt holds.
	RepetitionPenalty float64 `key:"turn" yaml:"repetition-penalty"`
	// FrequencyPenalty is taken off a token's logit for every time that the
	// turn has generated it; 0 is off.
	FrequencyPenalty float64 `key:"turn" yaml:"frequency-penalty"`
	// PresencePenalty is taken off once, however often it was generated; 0 is
	// off.
	PresencePenalty float64 `key:"turn" yaml:"presence-penalty"`
	// PenaltyWindow is how many of the turn's last tokens count; 0 counts all.
	PenaltyWindow int `key:"turn" yaml:"penalty-window"`
	// LogitBias is added to the logits of single tokens, after the penalties;
	// −Inf bans a token. The map must not change while a turn uses it.
	LogitBias LogitBias `key:"turn" yaml:"logit-bias"`
}

// Encode writes all of it to a key. Two settings that draw alike, such as a top-p of 0 and of 1, are written differently:
// nothing is taken for another thing, and some turns are computed again.
func (s Sampling) Encode(e *digest.Encoder) {
	for _, v := range []float64{
		s.Temperature, float64(s.TopK), s.TopP, s.MinP, s.RepetitionPenalty, s.FrequencyPenalty, s.PresencePenalty, float64(s.PenaltyWindow),
	} {
		e.Float(v)
	}
	e.Int(len(s.LogitBias))
	for _, id := range slices.Sorted(maps.Keys(s.LogitBias)) {
		e.Number(uint64(id))
		e.Float(s.LogitBias[id])
	}
}

// Validate returns a *ParamError when a value makes no sense.
func (s Sampling) Validate() error {
	in := func(v, lo, hi float64) bool { return v >= lo && v <= hi } // false for NaN
	switch {
	case !in(s.Temperature, 0, 100):
		return &ParamError{"temperature", s.Temperature, "must be from 0 to 100"}
	case s.TopK < 0:
		return &ParamError{"top-k", s.TopK, "must be 0 (all) or more"}
	case !in(s.TopP, 0, 1):
		return &ParamError{"top-p", s.TopP, "must be from 0 to 1"}
	case !in(s.MinP, 0, 1):
		return &ParamError{"min-p", s.MinP, "must be from 0 to 1"}
	case s.RepetitionPenalty != 0 && !in(s.RepetitionPenalty, 0.1, 10):
		return &ParamError{"repetition-penalty", s.RepetitionPenalty, "must be from 0.1 to 10, or 0 or 1 (off)"}
	case !in(s.FrequencyPenalty, -100, 100):
		return &ParamError{"frequency-penalty", s.FrequencyPenalty, "must be from -100 to 100"}
	case !in(s.PresencePenalty, -100, 100):
		return &ParamError{"presence-penalty", s.PresencePenalty, "must be from -100 to 100"}
	case s.PenaltyWindow < 0:
		return &ParamError{"penalty-window", s.PenaltyWindow, "must be 0 (all of the turn) or more"}
	}
	return validateBias(s.LogitBias)
}

// truncates reports whether the truncations can change what is drawn.
func (s Sampling) truncates() bool {
	return s.Temperature != 0 && (s.TopK > 0 || s.cutsMass() || s.MinP > 0)
}

func (s Sampling) cutsMass() bool { return s.TopP > 0 && s.TopP < 1 }

var (
	// ErrLogits is the failure of a turn whose logits are not numbers.
	ErrLogits = errors.New("the model gave logits that are not numbers (NaN or infinite): its weights or its KV cache type do not work here")
	// ErrNoToken is the failure of a turn that nothing may continue.
	ErrNoToken = errors.New("no token may come next: the grammar and logit-bias together rule out all of them")
)

// sampler draws the tokens of one turn. Its caller tells it of every token
// that becomes part of the turn, drawn or forced, by accept.
type sampler struct {
	Sampling
	rng     *rand.Rand
	grammar Grammar // nil where everything may be said
	past    past

	// Working memory, kept between tokens.
	changed    []float32   // logits that are not as the model gave them
	peaks      []float32   // the largest logit of every block
	sums       []float64   // the weight of every block
	candidates []candidate // tokens that a truncation chooses from
}

func newSampler(s Sampling, seed uint64) *sampler {
	// The second word only separates this stream from others of the same seed.
	return &sampler{Sampling: s, rng: rand.New(rand.NewPCG(seed, 0x616d656e64))}
}

// sample draws one token. Every call takes exactly one number of the stream,
// greedy or not, so that a turn's draws do not depend on earlier settings.
// The logits are only read.
func (s *sampler) sample(logits []float32) (Token, error) {
	u := s.rng.Float64()
	adjusted, err := s.adjust(logits)
	if err != nil {
		return -1, err
	}
	best, err := s.scan(adjusted)
	if err != nil {
		return -1, err
	}
	if best < 0 {
		if _, err := argmax(logits); err != nil {
			return -1, err // the model, not what was changed since
		}
		return -1, ErrNoToken
	}
	if s.grammar != nil {
		return s.sampleAllowed(adjusted, best, u)
	}
	token, _ := s.pick(adjusted, best, u)
	return token, nil
}

// accept takes a token into the turn: it counts for the penalties, and the
// grammar goes on behind it.
func (s *sampler) accept(t Token) error {
	if s.penalizes() {
		s.past.add(t, s.PenaltyWindow)
	}
	if s.grammar == nil {
		return nil
	}
	if err := s.grammar.Accept(t); err != nil {
		return fmt.Errorf("the grammar after token %d: %w", t, err)
	}
	return nil
}

// pick draws one of the tokens that scan has seen, best being the likeliest,
// by u from [0, 1). It also returns how far into the token's own share of
// [0, 1) u was, which is a number from [0, 1) that the token says nothing of.
func (s *sampler) pick(logits []float32, best Token, u float64) (Token, float64) {
	if s.Temperature == 0 {
		return best, u
	}
	top := logits[best]
	return s.draw(logits, top, s.truncate(logits, top), u)
}

// draw takes a token, in order of ids, from those not behind last. A first
// pass weighs whole blocks, so the walk is through one of them.
func (s *sampler) draw(logits []float32, top float32, last candidate, u float64) (Token, float64) {
	w := weigher(top, s.Temperature)
	total := 0.0
	s.sums = s.sums[:0]
	for b, peak := range s.peaks {
		sum := 0.0
		if peak >= last.logit {
			start, block := blockAt(logits, b)
			sum = w.sum(block, start, last)
		}
		s.sums = append(s.sums, sum)
		total += sum
	}
	rest := u * total
	in := 0
	for b, sum := range s.sums {
		if sum == 0 {
			continue
		}
		if in = b; rest < sum {
			break
		}
		rest -= sum // rounding can leave a little behind the last block
	}
	return s.walk(logits, in, w, last, rest)
}

// walk goes through a block until the weights on the way exceed rest.
func (s *sampler) walk(logits []float32, b int, w weights, last candidate, rest float64) (Token, float64) {
	const below1 = 1 - 0x1p-53
	start, block := blockAt(logits, b)
	found := Token(-1)
	for i, l := range block {
		c := candidate{l, start + Token(i)}
		if last.before(c) {
			continue
		}
		p := w.of(l)
		if p == 0 {
			continue
		}
		if found = c.id; rest < p {
			return found, min(max(0, rest/p), below1)
		}
		rest -= p
	}
	return found, below1 // rounding: the block's last
}
