package llamatest

import (
	"math"
	"testing"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/llama"
	"amend/engine/reward"
)

// tolerance is what rounding does to hidden states of about 1, when other chunks are computed at once.
const tolerance = 0.02

// TestStates: the mean is that of the states that each token has as the last one of its beginning, whatever was computed
// before and is reused.
func TestStates(t *testing.T) {
	m := tinyModel(t)
	kind := runner.ContextPlan{Threads: 2, FlashAttn: llama.FlashOff}
	open := func() *runner.States {
		s, err := runner.NewStates(m, 700, kind)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	conversation := func(seed, n int) (out []engine.Token) {
		for i := range n {
			out = append(out, engine.Token((i*i+seed*17+i*seed)%50))
		}
		return out
	}
	prompt := conversation(1, 300)
	of := func(s *runner.States, tokens []engine.Token, from int) reward.Features {
		f, err := s.Of(t.Context(), tokens, from)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	reused := open()
	for _, length := range []int{1, 5} {
		tokens := append(append([]engine.Token{}, prompt...), conversation(length, length)...)
		got := of(reused, tokens, len(prompt))
		mean := make([]float64, len(got.Mean))
		var last []float32
		alone := open()
		for end := len(prompt) + 1; end <= len(tokens); end++ {
			last = of(alone, tokens[:end], end-1).Last
			for i, v := range last {
				mean[i] += float64(v) / float64(length)
			}
		}
		if got.Tokens != length {
			t.Errorf("%d tokens, want %d", got.Tokens, length)
		}
		near(t, "last", got.Last, last)
		for i, v := range mean {
			if math.Abs(v-float64(got.Mean[i])) > tolerance {
				t.Fatalf("response of %d tokens: mean state %d is %g, want %g", length, i, got.Mean[i], v)
			}
		}
	}
	if reused.Reused != len(prompt) {
		t.Errorf("%d tokens reused, want the prompt once", reused.Reused)
	}
	long := append(append([]engine.Token{}, prompt...), conversation(200, 200)...)
	// In two parts.
	near(t, "a long response's last", of(reused, long, len(prompt)).Last, of(open(), long, len(prompt)).Last)
	for _, from := range []int{0, len(prompt)} {
		if _, err := reused.Of(t.Context(), prompt, from); err == nil {
			t.Errorf("states from %d of %d tokens", from, len(prompt))
		}
	}
	if _, err := reused.Of(t.Context(), conversation(3, 900), 20); err == nil {
		t.Error("900 tokens where there is room for 768")
	}
}

func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > tolerance {
			t.Fatalf("%s: state %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}
