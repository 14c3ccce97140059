package engine

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestDrawsFollowTheDistribution compares many draws with the probabilities
// computed in the obvious way, for every kind of truncation.
func TestDrawsFollowTheDistribution(t *testing.T) {
	logits := []float32{1, 3, 2.5, -1, 0, 2, float32(math.Inf(-1)), 2.5}
	for _, s := range []Sampling{
		{Temperature: 1},
		{Temperature: 0.5},
		{Temperature: 2, TopK: 3},
		{Temperature: 1, TopP: 0.7},
		{Temperature: 1.5, MinP: 0.3},
		{Temperature: 1, TopK: 5, TopP: 0.8, MinP: 0.1},
	} {
		const n = 40000
		counts := make([]float64, len(logits))
		draw := newSampler(s, 1)
		for range n {
			id, err := draw.sample(logits)
			if err != nil {
				t.Fatal(err)
			}
			counts[id]++
		}
		for id, want := range expected(s, logits) {
			if got := counts[id] / n; math.Abs(got-want) > 5*math.Sqrt(want*(1-want)/n)+1e-12 {
				t.Errorf("%+v: token %d drawn in %.4f of cases, want %.4f", s, id, got, want)
			}
		}
	}
}

// expected is the distribution after truncation, each step on the whole list.
func expected(s Sampling, logits []float32) []float64 {
	p := softmax(logits, 1)
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[b], p[a]) })
	keep := len(order)
	if s.TopK > 0 {
		keep = min(keep, s.TopK)
	}
	if s.TopP > 0 && s.TopP < 1 {
		total, mass := 0.0, 0.0
		for _, i := range order[:keep] {
			total += p[i]
		}
		for n, i := range order[:keep] {
			if mass += p[i]; mass >= s.TopP*total {
				keep = n + 1
				break
			}
		}
	}
	out := make([]float64, len(p))
	hot := softmax(logits, s.Temperature)
	sum := 0.0
	for _, i := range order[:keep] {
		if p[i] > 0 && p[i] >= s.MinP*p[order[0]] {
			out[i] = hot[i]
			sum += hot[i]
		}
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func softmax(logits []float32, temperature float64) []float64 {
	out := make([]float64, len(logits))
	sum := 0.0
	for i, l := range logits {
		out[i] = math.Exp(float64(l) / temperature)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func TestGreedyIsTheFirstOfTheLargest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logits := rapid.SliceOfN(rapid.Float32Range(-3, 3), 1, 20).Draw(t, "logits")
		got, err := newSampler(Sampling{}, 0).sample(logits)
		if err != nil {
			t.Fatal(err)
		}
		if want := slices.Index(logits, slices.Max(logits)); int(got) != want {
			t.Fatalf("%v: token %d, want %d", logits, got, want)
		}
	})
}

func TestEqualSeedsDrawEqually(t *testing.T) {
	logits := []float32{0, 0, 0, 0, 0, 0, 0, 0}
	draw := func(seed uint64) []Token {
		s := newSampler(Sampling{Temperature: 1}, seed)
		var out []Token
		for range 20 {
			id, err := s.sample(logits)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, id)
		}
		return out
	}
	if !slices.Equal(draw(4), draw(4)) || slices.Equal(draw(4), draw(5)) {
		t.Error("draws do not follow from the seed")
	}
}

func TestLogitsThatAreNoNumbers(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, logits := range [][]float32{{0, nan, 1}, {nan}, {1, inf}, {-inf, -inf}} {
		for _, s := range []Sampling{{}, {Temperature: 1}, {Temperature: 1, TopK: 2}} {
			if id, err := newSampler(s, 0).sample(logits); !errors.Is(err, ErrLogits) {
				t.Errorf("%v with %+v: token %d, %v", logits, s, id, err)
			}
		}
	}
}

func TestValidateNamesTheFlag(t *testing.T) {
	for _, s := range []Sampling{{Temperature: math.NaN()}, {Temperature: -1}, {TopK: -1}, {TopP: 1.1}, {MinP: math.NaN()}} {
		if s.Validate() == nil {
			t.Errorf("%+v is taken", s)
		}
	}
	if err := (Sampling{Temperature: 1, TopP: 1}).Validate(); err != nil {
		t.Error(err)
	}
}
