package sample

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// benchLogits are as a model gives them, a few tokens far above a broad bulk,
// or nearly the same for all.
func benchLogits(n int, flat bool) []float32 {
	rng := rand.New(rand.NewPCG(1, 2))
	logits := make([]float32, n)
	for i := range logits {
		logits[i] = float32(rng.NormFloat64() * 0.1)
		if !flat {
			logits[i] *= 25
		}
	}
	for rank := range 50 {
		if !flat {
			logits[rng.IntN(n)] = float32(18 - 1.5*math.Log(float64(rank+1)))
		}
	}
	return logits
}

// benchSamplers are one sampler for each way through the chain.
func benchSamplers(tb testing.TB, vocabulary int) map[string]*Sampler {
	out := map[string]*Sampler{}
	for name, set := range map[string]Params{
		"greedy":    {},
		"all":       {Temperature: 1},
		"top-k":     {Temperature: 1, TopK: 40},
		"top-p":     {Temperature: 1, TopP: 0.95},
		"min-p":     {Temperature: 1, MinP: 0.1},
		"penalties": {Temperature: 1, TopK: 40, RepetitionPenalty: 1.1, PenaltyWindow: 256, LogitBias: map[Token]float64{5: 1}},
		"grammar":   {Temperature: 1, TopK: 40},
	} {
		s := New(set, 1)
		for i := range 300 {
			if err := s.Accept(Token(i * 157 % vocabulary)); err != nil {
				tb.Fatal(err)
			}
		}
		if name == "grammar" {
			s.grammar = &subset{allows: func(t Token) bool { return t%2 == 0 }}
		}
		out[name] = s
	}
	return out
}

// BenchmarkSample is what one token costs, by size of the vocabulary. The
// grammar is a test's own: what is measured with it is the sampler's part.
func BenchmarkSample(b *testing.B) {
	for _, n := range []int{49152, 151936} {
		for _, flat := range []bool{false, true} {
			logits := benchLogits(n, flat)
			samplers := benchSamplers(b, n)
			for _, name := range []string{"greedy", "all", "top-k", "top-p", "min-p", "penalties", "grammar"} {
				b.Run(fmt.Sprintf("tokens=%d/flat=%v/%s", n, flat, name), func(b *testing.B) {
					for b.Loop() {
						if _, err := samplers[name].Sample(logits); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// TestSampleDoesNotAllocate: once its buffers have grown, a token costs no
// memory.
func TestSampleDoesNotAllocate(t *testing.T) {
	logits := benchLogits(5000, false)
	for name, s := range benchSamplers(t, len(logits)) {
		step := func() {
			id, err := s.Sample(logits)
			if err != nil {
				t.Fatal(err)
			}
			if s.grammar == nil { // the test's grammar keeps what it accepts
				if err := s.Accept(id); err != nil {
					t.Fatal(err)
				}
			}
		}
		step()
		if n := testing.AllocsPerRun(100, step); n != 0 {
			t.Errorf("%s: %v allocations a token", name, n)
		}
	}
}
