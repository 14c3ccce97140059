package sample

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sharp is a distribution as models have them: a few tokens of weight, of
// which some are equal, one ruled out, and a broad rest. It is longer than a
// block.
func sharp() []float32 {
	rng := rand.New(rand.NewPCG(3, 4))
	logits := make([]float32, blockSize+200)
	for i := range logits {
		logits[i] = float32(rng.NormFloat64())
	}
	for rank := range 20 {
		logits[rng.IntN(len(logits))] = float32(7 - rank/2)
	}
	logits[9] = float32(math.Inf(-1))
	return logits
}

// TestDrawsFollowTheDistribution compares many draws with the probabilities
// computed in the obvious way by a chi-square test, for every step of the
// chain.
func TestDrawsFollowTheDistribution(t *testing.T) {
	odd := func(t Token) bool { return t%2 == 1 }
	past := []Token{1, 1, 5, 3, 1}
	for _, c := range []chain{
		{Params: Params{Temperature: 1}},
		{Params: Params{Temperature: 0.5}},
		{Params: Params{Temperature: 2, TopK: 3}},
		{Params: Params{Temperature: 1, TopP: 0.7}},
		{Params: Params{Temperature: 1.5, MinP: 0.3}},
		{Params: Params{Temperature: 1, TopK: 5, TopP: 0.8, MinP: 0.1}},
		{Params: Params{Temperature: 1, RepetitionPenalty: 1.3, FrequencyPenalty: 0.2, PresencePenalty: -0.1}, past: past},
		{Params: Params{Temperature: 1, LogitBias: map[Token]float64{1: math.Inf(-1), 4: 2}}},
		{Params: Params{Temperature: 1}, allowed: odd},
		{Params: Params{Temperature: 1.5, TopK: 4}, allowed: odd},
		{Params: Params{Temperature: 1, TopP: 0.8, FrequencyPenalty: 0.3, PenaltyWindow: 2}, past: past, allowed: odd},
	} {
		for _, logits := range [][]float32{{1, 3, 2.5, -1, 0, 2, float32(math.Inf(-1)), 2.5}, sharp()} {
			t.Run(fmt.Sprintf("%+v/%d", c.Params, len(logits)), func(t *testing.T) {
				draw := New(c.Params, 1)
				follow(t, draw, c)
				compare(t, c.probabilities(logits), func() (Token, error) { return draw.Sample(logits) })
			})
		}
	}
}

// follow gives a sampler the past and the grammar of a chain.
func follow(t interface{ Fatal(...any) }, s *Sampler, c chain) {
	for _, token := range c.past {
		if err := s.Accept(token); err != nil {
			t.Fatal(err)
		}
	}
	if c.allowed != nil {
		s.grammar = &subset{allows: c.allowed}
	}
}

// compare draws often and tests the counts. Tokens that are expected fewer than
// 10 times are counted together.
func compare(t *testing.T, want []float64, draw func() (Token, error)) {
	const n = 20000
	counts := make([]float64, len(want))
	for range n {
		id, err := draw()
		if err != nil {
			t.Fatal(err)
		}
		if want[id] == 0 {
			t.Fatalf("token %d drawn, which is cut off", id)
		}
		counts[id]++
	}
	square, bins := 0.0, 0
	add := func(got, expected float64) {
		square += (got - expected) * (got - expected) / expected
		bins++
	}
	rest, restWant := 0.0, 0.0
	for id, p := range want {
		if p*n < 10 {
			rest, restWant = rest+counts[id], restWant+p*n
			continue
		}
		add(counts[id], p*n)
	}
	if restWant > 0 {
		add(rest, restWant)
	}
	freedom := float64(bins - 1)
	if limit := freedom + 4*math.Sqrt(2*freedom) + 8; square > limit {
		t.Errorf("χ² = %.1f with %g degrees of freedom, more than %.1f", square, freedom, limit)
	}
}

// drawChain draws settings, a past and a rule for what may be said.
func drawChain(t *rapid.T, vocabulary int) chain {
	token := rapid.Int32Range(0, int32(vocabulary)-1)
	some := func(name string, g *rapid.Generator[float64]) float64 {
		return rapid.OneOf(rapid.Just(0.0), g).Draw(t, name)
	}
	// Not smaller than what rounding hides: whether min-p 1 keeps a token that is
	// less likely by a millionth of a millionth is nobody's concern.
	bias := rapid.Map(rapid.IntRange(-320, 320), func(n int) float64 { return float64(n) / 64 })
	c := chain{Params: Params{
		Temperature:       rapid.SampledFrom([]float64{0, 0.01, 0.5, 1, 1, 3, 100}).Draw(t, "temperature"),
		TopK:              rapid.SampledFrom([]int{0, 0, 1, 2, 40, vocabulary - 1, vocabulary, vocabulary + 1}).Draw(t, "k"),
		TopP:              some("p", rapid.OneOf(rapid.SampledFrom([]float64{0.5, 0.99, 0.9999}), rapid.Float64Range(0.001, 1))),
		MinP:              some("min-p", rapid.Float64Range(1e-9, 1)),
		RepetitionPenalty: some("repetition", rapid.Float64Range(0.5, 2)),
		FrequencyPenalty:  some("frequency", rapid.Float64Range(-1, 1)),
		PresencePenalty:   some("presence", rapid.Float64Range(-1, 1)),
		PenaltyWindow:     rapid.SampledFrom([]int{0, 0, 1, 2, 7}).Draw(t, "window"),
		LogitBias: rapid.OneOf(
			rapid.Just(map[Token]float64(nil)),
			rapid.MapOfN(token, rapid.OneOf(rapid.Just(math.Inf(-1)), bias), 0, 5),
		).Draw(t, "bias"),
	}}
	c.past = rapid.SliceOfN(token, 0, 20).Draw(t, "past")
	if every := rapid.IntRange(0, 4).Draw(t, "every"); every > 0 {
		c.allowed = func(t Token) bool { return int(t)%every == every-1 }
	}
	return c
}

// drawLogits draws a distribution, with equal logits and tokens ruled out, of
// up to four blocks.
func drawLogits(t *rapid.T) []float32 {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "logits"), 0))
	n := rapid.OneOf(
		rapid.IntRange(1, 20),
		rapid.SampledFrom([]int{blockSize - 1, blockSize, blockSize + 1, 3*blockSize + 7}),
	).Draw(t, "vocabulary")
	scale := rapid.SampledFrom([]float64{0, 0.1, 3, 30, 500}).Draw(t, "scale")
	grid := rapid.SampledFrom([]float64{0, 0.5, 2}).Draw(t, "grid")
	out := rapid.IntRange(0, 3).Draw(t, "ruled out")
	logits := make([]float32, n)
	for i := range logits {
		v := rng.NormFloat64() * scale
		if grid > 0 {
			v = math.Round(v/grid) * grid
		}
		if logits[i] = float32(v); rng.IntN(4) < out {
			logits[i] = float32(math.Inf(-1))
		}
	}
	return logits
}

// TestSameNumberSameToken compares the tokens of a turn with what the chain in
// the obvious way makes of the same random numbers.
func TestSameNumberSameToken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logits := drawLogits(t)
		before := slices.Clone(logits)
		c := drawChain(t, len(logits))
		seed := rapid.Uint64().Draw(t, "seed")
		s, numbers := New(c.Params, seed), New(c.Params, seed).rng
		follow(t, s, c)
		for range rapid.IntRange(1, 5).Draw(t, "tokens") {
			got, err := s.Sample(logits)
			if !slices.Equal(logits, before) {
				t.Fatal("the model's logits were written to")
			}
			checkToken(t, c, logits, numbers.Float64(), got, err)
			if err != nil {
				return
			}
			if err := s.Accept(got); err != nil {
				t.Fatal(err)
			}
			c.past = append(c.past, got)
		}
	})
}

// checkToken compares one token, or the error in its place. Where a first draw
// was tried without the grammar's mask, the number gives another token, so all
// that is compared is that it may come.
func checkToken(t *rapid.T, c chain, logits []float32, u float64, got Token, err error) {
	p := c.probabilities(logits)
	switch {
	case math.IsInf(float64(slices.Max(logits)), -1):
		if !errors.Is(err, ErrLogits) {
			t.Fatalf("no logit is a number: token %d, %v", got, err)
		}
	case slices.Max(p) == 0:
		if !errors.Is(err, ErrNoToken) {
			t.Fatalf("nothing may come next: token %d, %v", got, err)
		}
	case err != nil:
		t.Fatal(err)
	case c.allowed != nil && c.Temperature > 0 && !c.truncates():
		if p[got] == 0 {
			t.Fatalf("token %d, which may not come next", got)
		}
	default:
		if want := c.possible(logits, u); !slices.Contains(want, got) {
			t.Fatalf("token %d of %d for u = %v, want %v", got, len(logits), u, want)
		}
	}
}

// TestOneNumberAToken: whatever the settings, the stream is as far after as
// many tokens.
func TestOneNumberAToken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logits := drawLogits(t)
		logits[0] = 0
		c := drawChain(t, len(logits))
		c.LogitBias = nil
		s, plain := New(c.Params, 9), New(Params{}, 9)
		s.grammar = &subset{allows: func(t Token) bool { return t == 0 }}
		for range rapid.IntRange(1, 4).Draw(t, "tokens") {
			if id, err := s.Sample(logits); id != 0 || err != nil {
				t.Fatalf("token %d, %v", id, err)
			}
			if err := s.Accept(0); err != nil {
				t.Fatal(err)
			}
			if _, err := plain.Sample(logits); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := s.rng.Uint64(), plain.rng.Uint64(); a != b {
			t.Fatal("the streams are not at the same place")
		}
	})
}

// TestPastIsTheLastTokens compares the counts with those of the last tokens.
func TestPastIsTheLastTokens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.IntRange(0, 6).Draw(t, "window")
		tokens := rapid.SliceOfN(rapid.Int32Range(0, 3), 0, 30).Draw(t, "tokens")
		var p past
		for n, token := range tokens {
			p.add(token, window)
			last := tokens[:n+1]
			if window > 0 {
				last = last[max(0, len(last)-window):]
			}
			want := map[Token]int{}
			for _, token := range last {
				want[token]++
			}
			if !maps.Equal(p.counts, want) {
				t.Fatalf("after %v with a window of %d: %v, want %v", tokens[:n+1], window, p.counts, want)
			}
		}
	})
}

func TestGreedyIsTheFirstOfTheLargest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logits := rapid.SliceOfN(rapid.Float32Range(-3, 3), 1, 40).Draw(t, "logits")
		got, err := New(Params{}, 0).Sample(logits)
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
	draw := func(seed uint64, set Params) []Token {
		s := New(set, seed)
		var out []Token
		for range 20 {
			id, err := s.Sample(logits)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, id)
		}
		return out
	}
	plain := Params{Temperature: 1}
	if !slices.Equal(draw(4, plain), draw(4, plain)) || slices.Equal(draw(4, plain), draw(5, plain)) {
		t.Error("draws do not follow from the seed")
	}
	// A truncation that keeps all, or a bias of 0, leads another way to the same.
	for _, set := range []Params{{Temperature: 1, TopK: 8}, {Temperature: 1, MinP: 0.5}, {Temperature: 1, LogitBias: map[Token]float64{3: 0}}} {
		if !slices.Equal(draw(4, plain), draw(4, set)) {
			t.Errorf("%+v draws otherwise", set)
		}
	}
}

func TestLogitsThatAreNoNumbers(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	long := make([]float32, 2*blockSize)
	long[blockSize+9] = nan
	for _, logits := range [][]float32{{0, nan, 1}, {nan}, {1, inf}, {-inf, -inf}, long} {
		for _, set := range []Params{
			{}, {Temperature: 1}, {Temperature: 1, TopK: 2},
			{LogitBias: map[Token]float64{0: math.Inf(-1)}}, // bans a token, hides no fault
		} {
			if id, err := New(set, 0).Sample(logits); !errors.Is(err, ErrLogits) {
				t.Errorf("%d logits with %+v: token %d, %v", len(logits), set, id, err)
			}
		}
	}
}

func TestBiasForATokenThatIsNone(t *testing.T) {
	_, err := New(Params{LogitBias: map[Token]float64{3: 1}}, 0).Sample([]float32{0, 0, 0})
	if err == nil || !strings.Contains(err.Error(), "token 3") {
		t.Errorf("error %v, want one that names token 3", err)
	}
}

func TestValidateNamesTheSetting(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		param string
		Params
	}{
		{"temperature", Params{Temperature: nan}},
		{"temperature", Params{Temperature: -1}},
		{"top-k", Params{TopK: -1}},
		{"top-p", Params{TopP: 1.1}},
		{"min-p", Params{MinP: nan}},
		{"repetition-penalty", Params{RepetitionPenalty: -1}},
		{"repetition-penalty", Params{RepetitionPenalty: nan}},
		{"frequency-penalty", Params{FrequencyPenalty: 101}},
		{"presence-penalty", Params{PresencePenalty: math.Inf(1)}},
		{"penalty-window", Params{PenaltyWindow: -1}},
		{"logit-bias", Params{LogitBias: map[Token]float64{1: nan}}},
		{"logit-bias", Params{LogitBias: map[Token]float64{1: math.Inf(1)}}},
		{"logit-bias", Params{LogitBias: map[Token]float64{-1: 0}}},
	} {
		var wrong *ParamError
		if err := c.Validate(); !errors.As(err, &wrong) || wrong.Param != c.param {
			t.Errorf("%+v: error %v, want one about %s", c.Params, err, c.param)
		}
	}
	for _, s := range []Params{
		{},
		{Temperature: 1, TopP: 1, RepetitionPenalty: 1},
		{RepetitionPenalty: 1.2, FrequencyPenalty: -2, PresencePenalty: 2, PenaltyWindow: 64, LogitBias: map[Token]float64{0: math.Inf(-1), 7: 3}},
	} {
		if err := s.Validate(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// TestSmallestTemperature: a scale that overflows must not make 0 · ∞.
func TestSmallestTemperature(t *testing.T) {
	s := New(Params{Temperature: math.SmallestNonzeroFloat64}, 0)
	seen := map[Token]int{}
	for range 50 {
		id, err := s.Sample([]float32{1, 3, 2, 3})
		if err != nil {
			t.Fatal(err)
		}
		seen[id]++
	}
	if len(seen) != 2 || seen[1] == 0 || seen[3] == 0 {
		t.Errorf("tokens %v, want 1 and 3, which are equally likely", seen)
	}
}
