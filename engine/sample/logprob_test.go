package sample

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestLogProbIsTheSoftmax(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logits := drawLogits(t)
		logits[len(logits)/2] = 1
		tokens := rapid.SliceOfN(rapid.Int32Range(0, int32(len(logits))-1), 0, 5).Draw(t, "tokens")
		top, sum := 0.0, 0.0
		for _, l := range logits {
			top = max(top, float64(l))
		}
		for _, l := range logits {
			sum += math.Exp(float64(l) - top)
		}
		got := LogProbs(logits, tokens)
		for i, id := range tokens {
			want := float64(logits[id]) - top - math.Log(sum)
			if one := LogProb(logits, id); one != got[i] {
				t.Fatalf("token %d: %v alone, %v among others", id, one, got[i])
			}
			if math.IsInf(want, -1) && math.IsInf(got[i], -1) {
				continue
			}
			if math.Abs(got[i]-want) > 1e-8 {
				t.Fatalf("token %d: %v, want %v", id, got[i], want)
			}
		}
	})
}

func TestLogProbOfNoNumbers(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, logits := range [][]float32{{0, nan}, {0, inf}, {-inf, -inf}} {
		if p := LogProb(logits, 0); !math.IsNaN(p) {
			t.Errorf("%v: %v", logits, p)
		}
	}
}

func BenchmarkLogProb(b *testing.B) {
	logits := benchLogits(151936, false)
	for b.Loop() {
		LogProb(logits, 7)
	}
}
