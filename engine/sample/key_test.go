package sample

import (
	"math"
	"slices"
	"testing"

	"amend/engine/digest/digesttest"
	"amend/engine/enginetest/golden"
)

// TestSamplingKeys changes each field: what is drawn can be another token, so it is another turn.
func TestSamplingKeys(t *testing.T) {
	s := Params{Temperature: 0.75, LogitBias: LogitBias{0: math.Inf(-1)}}
	was := sumOf(s)
	digesttest.Fields(t, &s, func(path string, keys []string) {
		if !slices.Equal(keys, []string{"turn"}) || sumOf(s) == was {
			t.Errorf("changing %s, tagged %v: changed %v", path, keys, sumOf(s) != was)
		}
	})
	for id, bias := range map[Token]float64{0: -1, 1: math.Inf(-1)} {
		s.LogitBias = LogitBias{id: bias}
		if sumOf(s) == was {
			t.Errorf("a bias of %v for token %d is the same as one of −Inf for token 0", bias, id)
		}
	}
}

// TestSamplingDigest pins what a sampling adds to a key.
func TestSamplingDigest(t *testing.T) {
	golden.Check(t, "sampling", []string{
		sumOf(Params{}).Hex(),
		sumOf(Params{
			Temperature: 0.75, TopK: 40, TopP: 0.5, MinP: 0.125, RepetitionPenalty: 1.25, FrequencyPenalty: 0.25, PresencePenalty: -0.5, PenaltyWindow: 64,
			LogitBias: LogitBias{9: 2.5, 3: math.Inf(-1)},
		}).Hex(),
	})
}
