package sample

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestTruncationsKeepTheSame compares all of what is kept, however unlikely.
func TestTruncationsKeepTheSame(t *testing.T) {
	const little = 1e-8
	rapid.Check(t, func(t *rapid.T) {
		logits := drawLogits(t)
		logits[0] = 1 // one at least is a number
		set := drawChain(t, len(logits)).Params
		keep := chain{Params: Params{Temperature: 100, TopK: set.TopK, TopP: min(set.TopP, 0.9999), MinP: set.MinP}}
		s := New(keep.Params, 0)
		best, err := s.scan(logits)
		if err != nil {
			t.Fatal(err)
		}
		last := s.truncate(logits, logits[best])
		fewer, more := keep, keep
		fewer.TopP, fewer.MinP = keep.TopP*(1-little), keep.MinP*(1+little)
		more.TopP, more.MinP = keep.TopP*(1+little), keep.MinP*(1-little)
		least, most := fewer.probabilities(logits), more.probabilities(logits)
		for i, l := range logits {
			kept := !last.before(candidate{l, Token(i)}) && !math.IsInf(float64(l), -1)
			if kept && most[i] == 0 || !kept && least[i] > 0 {
				t.Fatalf("%+v keeps token %d: %v; the last it keeps is %v", keep.Params, i, kept, last)
			}
		}
	})
}

// TestTruncationsAtTheirLimits: a token that is just enough is the last kept.
func TestTruncationsAtTheirLimits(t *testing.T) {
	for _, c := range []struct {
		Params
		logits []float32
		last   Token
	}{
		{Params{TopP: 0.5}, []float32{0, 0, 0, 0}, 1},
		{Params{TopP: 0.51}, []float32{0, 0, 0, 0}, 2},
		{Params{TopP: 0.95}, []float32{-5, 0, -5, -5, -5, -5, -5, -5, -5, -5, -5, -5, -5, -5}, 5},
		{Params{TopK: 3}, []float32{0, 0, 0, 0}, 2},
		{Params{TopK: 2}, []float32{0, 1, 0, 1}, 3},
		{Params{TopK: 2, TopP: 0.5}, []float32{0, 0, 0, 0}, 0},
		{Params{MinP: 1}, []float32{0, 2, 1, 2}, math.MaxInt32},
	} {
		c.Temperature = 1
		s := New(c.Params, 0)
		best, err := s.scan(c.logits)
		if err != nil {
			t.Fatal(err)
		}
		last := s.truncate(c.logits, c.logits[best])
		if last.id != c.last {
			t.Errorf("%+v of %v: the last kept is %d, want %d", c.Params, c.logits, last.id, c.last)
		}
		if c.MinP == 1 && last.logit != c.logits[best] {
			t.Errorf("min-p 1 keeps down to %v, want %v", last.logit, c.logits[best])
		}
	}
}

// TestPower holds the error of the table and the series to what is promised.
func TestPower(t *testing.T) {
	worst := 0.0
	for i := range 1 << 16 {
		x := -float64(i) * 1000 * steps / (1 << 16)
		want := math.Exp2(x / steps)
		worst = max(worst, math.Abs(power(x)-want)/want)
	}
	if worst > 1e-9 {
		t.Errorf("off by %g of the value", worst)
	}
	if power(0) != 1 || power(math.Inf(-1)) != 0 || power(-1e300) != 0 {
		t.Errorf("2^0 = %v, 2^-∞ = %v", power(0), power(math.Inf(-1)))
	}
}
