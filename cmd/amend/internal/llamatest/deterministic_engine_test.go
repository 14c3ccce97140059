package llamatest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/llama"
	"amend/engine/sample"
)

const (
	ownRows   = 16
	ownAnswer = 20 // tokens of a turn
)

// TestTokensDependOnTheirOwnRowAlone: with the settings of --deterministic,
// rows that run together, with every prefix reused and with guesses, say what
// each says alone, computed from its first token without guesses, greedy or
// drawn; also when they arrive in another order and share fewer sequences.
func TestTokensDependOnTheirOwnRowAlone(t *testing.T) {
	for _, shape := range []string{"2,256,256,2,1", "2,256,512,4,2"} {
		for _, quant := range []string{"Q4_0", "Q4_K_M"} {
			t.Run(shape+"/"+quant, func(t *testing.T) {
				path, ok := exactFile(t, shape, quant)
				if !ok {
					t.Fatalf("%s has rows that are not whole blocks", shape)
				}
				m, err := llama.LoadModel(t.Context(), path, llama.ModelParams{NoRepack: true})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { closing(t, m.Close) })
				order := make([]int, ownRows)
				for i := range order {
					order[i] = i
				}
				alone := runExact(t, m, 1, order, false)
				together := runExact(t, m, ownRows, order, true)
				slices.Reverse(order)
				crowded := runExact(t, m, 5, order, true)
				for row := range alone {
					for turn, want := range alone[row] {
						if got := together[row][turn]; !slices.Equal(got, want) {
							t.Errorf("row %d turn %d: %v, alone %v", row, turn, got, want)
						}
						if got := crowded[row][turn]; !slices.Equal(got, want) {
							t.Errorf("row %d turn %d: %v where 5 ran at once, alone %v", row, turn, got, want)
						}
					}
				}
			})
		}
	}
}

// runExact runs rows of two turns each, submitted in the given order, and
// returns the tokens of their turns. Every second row is greedy.
func runExact(t *testing.T, m *llama.Model, parallel int, order []int, fast bool) [ownRows][2][]engine.Token {
	t.Helper()
	b, err := runner.NewBackend(m, runner.ContextPlan{Sequences: parallel + 1, Limit: 768, Context: 768, Threads: 2, FlashAttn: llama.FlashOff})
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, b.Close)
	e, err := engine.New(b, letters{}, engine.Config{NoReuse: !fast, Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	preamble := exactText(0)[:exactFrom+8]
	if fast {
		e.Speculate([]engine.StepCost{{Sequences: 1, Tokens: 1, Seconds: 1}, {Sequences: 1, Tokens: 8, Seconds: 1.01}})
		if err := e.Pin(t.Context(), preamble); err != nil {
			t.Fatal(err)
		}
	}
	var out [ownRows][2][]engine.Token
	for _, row := range order {
		random := rand.New(rand.NewPCG(4, uint64(row)))
		var submit func(turn int, tokens []engine.Token)
		submit = func(turn int, tokens []engine.Token) {
			r := engine.Request{Tokens: tokens, MaxTokens: ownAnswer, Seed: uint64(100*row + turn), Sampling: sample.Params{Temperature: float64(row % 2)}}
			r.Done = func(res engine.Result) {
				if res.Err != nil {
					t.Errorf("row %d turn %d: %v", row, turn, res.Err)
					return
				}
				if out[row][turn] = res.Tokens; turn == 0 {
					// As a revision does, the second turn has the first before it.
					submit(1, slices.Concat(tokens, res.Tokens, exactWords(random, 7+row%3)))
				}
			}
			if err := e.Submit(&r); err != nil {
				t.Error(err)
			}
		}
		submit(0, slices.Concat(preamble, exactWords(random, 5+row)))
	}
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := e.Stats()
	t.Logf("%d at once: %+v", parallel, s)
	if fast && (s.Reused < ownRows*len(preamble) || s.Accepted == 0 || s.Accepted == s.Drafted) {
		t.Errorf("the run was to reuse prefixes and to make right and wrong guesses: %+v", s)
	}
	if !fast && (s.Reused > 0 || s.Drafted > 0) {
		t.Errorf("the run was to compute every token by itself: %+v", s)
	}
	return out
}

// exactWords are n tokens, of which some repeat: something to look up.
func exactWords(random *rand.Rand, n int) []engine.Token {
	out := make([]engine.Token, n)
	for i := range out {
		out[i] = random.Int32N(8)
	}
	return out
}
