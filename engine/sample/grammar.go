package sample

import (
	"fmt"
	"math"
)

// Grammar restricts what a turn may say. It stands behind the tokens accepted
// so far, belongs to one turn and is used by one goroutine. Mask and Allowed
// must agree on every token: what is drawn hangs on both.
type Grammar interface {
	// Allowed reports whether t may come next.
	Allowed(t Token) (bool, error)
	// Mask sets the logits of tokens that may not come next to −Inf, in place:
	// in a copy that the sampler owns.
	Mask(logits []float32) error
	// Accept moves past t. It fails when t may not come next.
	Accept(t Token) error
	// Forced returns the only token that may come next, if there is only one.
	Forced() (t Token, ok bool, err error)
	// Close frees it. A Sampler closes the one it was given.
	Close() error
}

// sampleAllowed draws among the tokens that the grammar allows, best being the
// likeliest of all. Masking a vocabulary is slow, so where nothing truncates a
// token of the whole distribution is drawn first. Most often it is allowed;
// if not, another is drawn from the allowed ones. That gives token t with
//
//	p(t) + (1 − p(allowed)) · p(t)/p(allowed) = p(t)/p(allowed)
//
// which is the masked distribution. The second draw must not depend on the
// first, which pick's second result sees to. A truncation has to know first
// what is allowed.
func (s *Sampler) sampleAllowed(logits []float32, best Token, u float64) (Token, error) {
	if !s.truncates() {
		token, rest := s.pick(logits, best, u)
		ok, err := s.grammar.Allowed(token)
		if err != nil {
			return -1, fmt.Errorf("asking the grammar for token %d: %w", token, err)
		}
		if ok {
			return token, nil
		}
		u = rest
	}
	masked, err := s.mask(logits)
	if err != nil {
		return -1, err
	}
	if best, err = s.scan(masked); err != nil {
		return -1, err
	}
	if best < 0 {
		return -1, ErrNoToken
	}
	token, _ := s.pick(masked, best, u)
	return token, nil
}

// mask returns a copy of the logits with −Inf for what may not come next.
func (s *Sampler) mask(logits []float32) ([]float32, error) {
	s.changed = append(s.changed[:0], logits...)
	if err := s.grammar.Mask(s.changed); err != nil {
		return nil, fmt.Errorf("applying the grammar to %d tokens: %w", len(logits), err)
	}
	return s.changed, nil
}

// Forced returns the only token that may come next, if the grammar leaves only
// one and no bias bans it. It takes no number of the stream; the caller hands
// the token to accept, as one that was drawn. It can cost as much as a mask.
func (s *Sampler) Forced() (Token, bool, error) {
	if s.grammar == nil {
		return -1, false, nil
	}
	t, ok, err := s.grammar.Forced()
	if err != nil {
		return -1, false, fmt.Errorf("asking the grammar for a forced token: %w", err)
	}
	if !ok || math.IsInf(s.LogitBias[t], -1) {
		return -1, false, nil
	}
	return t, true, nil
}
