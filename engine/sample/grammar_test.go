package sample

import (
	"errors"
	"math"
	"slices"
	"testing"
)

var errNotAllowed = errors.New("not allowed")

// subset is a grammar that allows the same tokens always, by a rule on ids.
type subset struct {
	allows   func(Token) bool
	accepted []Token
	masks    int
}

func (g *subset) Allowed(t Token) (bool, error) {
	return g.allows(t), nil
}

func (g *subset) Mask(logits []float32) error {
	g.masks++
	for i := range logits {
		if !g.allows(Token(i)) {
			logits[i] = float32(math.Inf(-1))
		}
	}
	return nil
}

func (g *subset) Accept(t Token) error {
	if !g.allows(t) {
		return errNotAllowed
	}
	g.accepted = append(g.accepted, t)
	return nil
}

func (g *subset) Close() error { return nil }

func (g *subset) Forced() (Token, bool, error) {
	only := Token(-1)
	for t := range Token(64) {
		if g.allows(t) && only >= 0 {
			return -1, false, nil
		} else if g.allows(t) {
			only = t
		}
	}
	return only, only >= 0, nil
}

// TestMaskOnlyWhereItIsNeeded: a token that is allowed costs one question.
func TestMaskOnlyWhereItIsNeeded(t *testing.T) {
	logits := []float32{1, 2, 3, 0}
	best := func(t Token) bool { return t == 2 }
	second := func(t Token) bool { return t == 1 }
	all := func(Token) bool { return true }
	for _, c := range []struct {
		Params
		allows func(Token) bool
		masks  int
	}{
		{Params{}, best, 0},
		{Params{}, second, 1},
		{Params{TopK: 2}, best, 0}, // greedy: top-k changes nothing
		{Params{Temperature: 1}, all, 0},
		{Params{Temperature: 1, TopK: 2}, all, 1},
	} {
		g := &subset{allows: c.allows}
		s := New(c.Params, 1)
		s.grammar = g
		id, err := s.Sample(logits)
		if err != nil || !c.allows(id) {
			t.Errorf("%+v: token %d, %v", c.Params, id, err)
		}
		if g.masks != c.masks {
			t.Errorf("%+v: %d masks, want %d", c.Params, g.masks, c.masks)
		}
	}
}

// broken is a grammar that always fails.
type broken struct{ *subset }

func (broken) Allowed(Token) (bool, error)  { return false, errNotAllowed }
func (broken) Mask([]float32) error         { return errNotAllowed }
func (broken) Forced() (Token, bool, error) { return -1, false, errNotAllowed }
func (broken) Close() error                 { return nil }

func TestGrammarErrorsGetThrough(t *testing.T) {
	logits := []float32{0, 0, 0}
	for _, set := range []Params{{}, {Temperature: 1, TopK: 2}} {
		s := New(set, 0)
		s.grammar = broken{&subset{allows: func(Token) bool { return false }}}
		if id, err := s.Sample(logits); !errors.Is(err, errNotAllowed) {
			t.Errorf("sample with %+v: token %d, %v", set, id, err)
		}
		if err := s.Accept(1); !errors.Is(err, errNotAllowed) {
			t.Errorf("accept: %v", err)
		}
		if id, _, err := s.Forced(); !errors.Is(err, errNotAllowed) {
			t.Errorf("forced: token %d, %v", id, err)
		}
	}
}

func TestForced(t *testing.T) {
	s := New(Params{LogitBias: map[Token]float64{3: math.Inf(-1)}}, 0)
	check := func(want Token, wantOK bool) {
		t.Helper()
		if got, ok, err := s.Forced(); ok != wantOK || ok && got != want || err != nil {
			t.Errorf("forced: %d %v %v, want %d %v", got, ok, err, want, wantOK)
		}
	}
	check(-1, false) // no grammar
	s.grammar = &subset{allows: func(t Token) bool { return t < 2 }}
	check(-1, false)
	s.grammar = &subset{allows: func(t Token) bool { return t == 2 }}
	check(2, true)
	s.grammar = &subset{allows: func(t Token) bool { return t == 3 }}
	check(-1, false) // banned: sample says that nothing is left
	if id, err := s.Sample(make([]float32, 8)); !errors.Is(err, ErrNoToken) {
		t.Errorf("the only token is banned: token %d, %v", id, err)
	}
}

func TestAcceptReachesTheGrammar(t *testing.T) {
	g := &subset{allows: func(t Token) bool { return t < 5 }}
	s := New(Params{}, 0)
	s.grammar = g
	for _, token := range []Token{1, 4} {
		if err := s.Accept(token); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(g.accepted, []Token{1, 4}) {
		t.Errorf("the grammar has seen %v", g.accepted)
	}
}
