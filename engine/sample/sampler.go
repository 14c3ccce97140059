package sample

import (
	"errors"
	"fmt"
	"math/rand/v2"
)

var (
	// ErrLogits is the failure of a turn whose logits are not numbers.
	ErrLogits = errors.New("the model gave logits that are not numbers (NaN or infinite): its weights or its KV cache type do not work here")
	// ErrNoToken is the failure of a turn that nothing may continue.
	ErrNoToken = errors.New("no token may come next: the grammar and logit-bias together rule out all of them")
)

// Sampler draws the tokens of one turn. Its caller tells it of every token
// that becomes part of the turn, drawn or forced, by Accept. It is not safe for
// concurrent use.
type Sampler struct {
	Params
	rng     *rand.Rand
	grammar Grammar // nil where everything may be said
	past    past

	// Working memory, kept between tokens.
	changed    []float32   // logits that are not as the model gave them
	peaks      []float32   // the largest logit of every block
	sums       []float64   // the weight of every block
	candidates []candidate // tokens that a truncation chooses from
}

// New returns the sampler of a turn, whose random stream starts from seed.
func New(s Params, seed uint64) *Sampler {
	// The second word only separates this stream from others of the same seed.
	return &Sampler{Params: s, rng: rand.New(rand.NewPCG(seed, 0x616d656e64))}
}

// Restrict has a grammar say which tokens may come, from the turn's start. The
// sampler owns it from then on.
func (s *Sampler) Restrict(g Grammar) { s.grammar = g }

// Close closes the grammar, if there is one.
func (s *Sampler) Close() error {
	if s.grammar == nil {
		return nil
	}
	return s.grammar.Close()
}

// Sample draws one token. Every call takes exactly one number of the stream,
// greedy or not, so that a turn's draws do not depend on earlier settings.
// The logits are only read.
func (s *Sampler) Sample(logits []float32) (Token, error) {
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

// Accept takes a token into the turn: it counts for the penalties, and the
// grammar moves past it.
func (s *Sampler) Accept(t Token) error {
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
func (s *Sampler) pick(logits []float32, best Token, u float64) (Token, float64) {
	if s.Temperature == 0 {
		return best, u
	}
	top := logits[best]
	return s.draw(logits, top, s.truncate(logits, top), u)
}

// draw takes a token, in order of ids, from those not behind last. A first
// pass weighs whole blocks, so the walk is through one of them.
func (s *Sampler) draw(logits []float32, top float32, last candidate, u float64) (Token, float64) {
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
func (s *Sampler) walk(logits []float32, b int, w weights, last candidate, rest float64) (Token, float64) {
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
