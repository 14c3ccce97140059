package engine_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"amend/engine"
	"amend/engine/enginetest"
	"amend/engine/sample"
)

// cycle is a grammar of which every third token may be any of 1 to 4, and the
// two after it are forced: the token and the one above it. It ends after nine.
type cycle struct {
	said   []engine.Token
	closed *int
}

func (c *cycle) may(t engine.Token) bool {
	switch n := len(c.said); {
	case n >= 9:
		return t == 0
	case n%3 == 0:
		return t >= 1 && t <= 4
	default:
		return t == c.said[n-1]+engine.Token(n%3-1)
	}
}

func (c *cycle) Allowed(t engine.Token) (bool, error) { return c.may(t), nil }

func (c *cycle) Mask(logits []float32) error {
	for i := range logits {
		if !c.may(engine.Token(i)) {
			logits[i] = float32(math.Inf(-1))
		}
	}
	return nil
}

func (c *cycle) Accept(t engine.Token) error {
	if !c.may(t) {
		return errors.New("not allowed")
	}
	c.said = append(c.said, t)
	return nil
}

func (c *cycle) Forced() (engine.Token, bool, error) {
	if len(c.said)%3 == 0 && len(c.said) < 9 {
		return 0, false, nil
	}
	for t := engine.Token(0); t < enginetest.VocabSize; t++ {
		if c.may(t) {
			return t, true, nil
		}
	}
	return 0, false, nil
}

func (c *cycle) Close() error { *c.closed++; return nil }

// TestForcedTokensAreNotSampled: what a grammar leaves no choice about is
// appended, computed with the next sampled token, and the turn is what it would
// be if it had been sampled; also when turns are put back for want of cells and
// start with a new grammar. Every grammar made is closed.
func TestForcedTokensAreNotSampled(t *testing.T) {
	for _, slots := range []int{0, 40} {
		m := enginetest.New(engine.Limits{Sequences: 4, Context: 60, Cells: 240, Unified: slots > 0, Batch: 16})
		m.Slots = slots
		e, err := engine.New(m, m, engine.Config{Verify: true})
		if err != nil {
			t.Fatal(err)
		}
		made, closed, ended := 0, 0, 0
		for i := range 6 {
			r := request(i, 0, []engine.Token{engine.Token(i%4 + 1), 2, 3, 4, 5, 6, 7})
			r.MaxTokens, r.Stop, r.LogProbs = 12, nil, true
			r.Grammar = func() (sample.Grammar, error) { made++; return &cycle{closed: &closed}, nil }
			r.Done = func(got engine.Result) {
				ended++
				if got.Err != nil || got.End != engine.EndToken || len(got.Tokens) != 9 || len(got.LogProbs) != 9 || got.Decoded != 3 {
					t.Fatalf("row %d: %+v", i, got)
				}
				for k := 0; k < 9; k += 3 {
					if a := got.Tokens[k]; !slices.Equal(got.Tokens[k:k+3], []engine.Token{a, a, a + 1}) {
						t.Errorf("row %d: %v does not follow the grammar", i, got.Tokens)
					}
					want := m.LogProb(slices.Concat(r.Tokens, got.Tokens[:k]), got.Tokens[k])
					if math.Abs(got.LogProbs[k]-want) > 1e-6 || got.LogProbs[k+1] != 0 {
						t.Errorf("row %d: log-probs %v, of token %d alone %v", i, got.LogProbs, k, want)
					}
				}
			}
			if err := e.Submit(&r); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		s := e.Stats()
		if ended != 6 || closed != made || (slots > 0) != (s.Preempted > 0) || s.Forced < 6*6 {
			t.Errorf("slots %d: %d ended, %d grammars made, %d closed, %+v", slots, ended, made, closed, s)
		}
	}
}
