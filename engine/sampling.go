package engine

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Sampling says how a token is drawn from logits. The truncations act on the
// distribution at temperature 1, in the order top-k, top-p, min-p, and the
// temperature on what is left: the order that llama.cpp's own chain uses.
type Sampling struct {
	Temperature float64 // 0 takes the most likely token, the lowest id among equals
	TopK        int     // keep the K most likely tokens; 0 keeps all
	TopP        float64 // keep the most likely tokens that make up this much; 0 or 1 keeps all
	MinP        float64 // keep tokens at least this likely relative to the best; 0 keeps all
}

// Validate returns an error that names the flag and its range when a value
// makes no sense.
func (s Sampling) Validate() error {
	in := func(v, lo, hi float64) bool { return v >= lo && v <= hi } // false for NaN
	switch {
	case !in(s.Temperature, 0, 100):
		return fmt.Errorf("--temperature %v: must be from 0 to 100", s.Temperature)
	case s.TopK < 0:
		return fmt.Errorf("--top-k %d: must be 0 (all) or more", s.TopK)
	case !in(s.TopP, 0, 1):
		return fmt.Errorf("--top-p %v: must be from 0 to 1", s.TopP)
	case !in(s.MinP, 0, 1):
		return fmt.Errorf("--min-p %v: must be from 0 to 1", s.MinP)
	}
	return nil
}

// ErrLogits is the failure of a turn whose logits are not numbers.
var ErrLogits = errors.New("the model gave logits that are not numbers (NaN or infinite): its weights or its KV cache type do not work here")

// sampler draws the tokens of one turn.
type sampler struct {
	Sampling
	rng     *rand.Rand
	scratch []candidate
}

type candidate struct {
	id    Token
	logit float64
}

func newSampler(s Sampling, seed uint64) *sampler {
	// The second word only separates this stream from others of the same seed.
	return &sampler{Sampling: s, rng: rand.New(rand.NewPCG(seed, 0x616d656e64))}
}

// sample draws one token. Every call takes exactly one number of the stream,
// greedy or not, so that a turn's draws do not depend on earlier settings.
func (s *sampler) sample(logits []float32) (Token, error) {
	u := s.rng.Float64()
	best, err := argmax(logits)
	if err != nil || s.Temperature == 0 {
		return best, err
	}
	top := float64(logits[best])
	if s.TopK == 0 && (s.TopP == 0 || s.TopP == 1) && s.MinP == 0 {
		return s.drawAll(logits, top, u), nil
	}
	return s.drawTruncated(logits, top, u), nil
}

// argmax returns the first of the largest logits. −Inf is a token that the
// model rules out; NaN or +Inf is a fault.
func argmax(logits []float32) (Token, error) {
	best, top := Token(-1), math.Inf(-1)
	for i, l := range logits {
		v := float64(l)
		if v != v || math.IsInf(v, 1) {
			return -1, ErrLogits
		}
		if v > top {
			best, top = Token(i), v
		}
	}
	if best < 0 {
		return -1, ErrLogits
	}
	return best, nil
}

func (s *sampler) drawAll(logits []float32, top, u float64) Token {
	sum := 0.0
	for _, l := range logits {
		sum += math.Exp((float64(l) - top) / s.Temperature)
	}
	rest := u * sum
	last := Token(0)
	for i, l := range logits {
		p := math.Exp((float64(l) - top) / s.Temperature)
		if p == 0 {
			continue
		}
		last = Token(i)
		if rest -= p; rest < 0 {
			break
		}
	}
	return last
}

func (s *sampler) drawTruncated(logits []float32, top, u float64) Token {
	kept := s.scratch[:0]
	floor := math.Inf(-1)
	if s.MinP > 0 {
		floor = top + math.Log(s.MinP)
	}
	for i, l := range logits {
		if v := float64(l); v >= floor && !math.IsInf(v, -1) {
			kept = append(kept, candidate{Token(i), v})
		}
	}
	slices.SortFunc(kept, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.logit, a.logit), cmp.Compare(a.id, b.id))
	})
	s.scratch = kept
	if s.TopK > 0 && s.TopK < len(kept) {
		kept = kept[:s.TopK]
	}
	kept = s.nucleus(kept, logits, top)
	sum := 0.0
	for _, c := range kept {
		sum += math.Exp((c.logit - top) / s.Temperature)
	}
	rest := u * sum
	for _, c := range kept {
		if rest -= math.Exp((c.logit - top) / s.Temperature); rest < 0 {
			return c.id
		}
	}
	return kept[len(kept)-1].id
}

// nucleus keeps the shortest head of the sorted candidates that has TopP of
// the mass which top-k left.
func (s *sampler) nucleus(kept []candidate, logits []float32, top float64) []candidate {
	if s.TopP == 0 || s.TopP == 1 {
		return kept
	}
	sum := 0.0
	if s.TopK > 0 {
		for _, c := range kept {
			sum += math.Exp(c.logit - top)
		}
	} else {
		for _, l := range logits { // min-p comes after top-p: its tokens count too
			sum += math.Exp(float64(l) - top)
		}
	}
	mass := 0.0
	for i, c := range kept {
		if mass += math.Exp(c.logit - top); mass >= s.TopP*sum {
			return kept[:i+1]
		}
	}
	return kept
}
