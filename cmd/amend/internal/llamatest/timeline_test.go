package llamatest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/llama"
)

// TestTimelines: on a tiny model in llama.cpp, whatever is submitted, forked
// from any point of earlier turns, scored, cancelled, evicted and put back for
// want of cells, with and without guesses, the logits that each token was drawn
// from are those of the whole conversation computed at once: to the last bit in
// streams, nearly in unified cells. A greedy turn takes the likeliest tokens.
// Rows attached to a preamble, which fills a stream and part of another, come
// near too, and are to the last bit those of a row attached to it alone.
func TestTimelines(t *testing.T) {
	for _, c := range []struct {
		name, weights string
		size          runner.ContextPlan
		most          float32 // difference, as a share of the logits' range
	}{
		{"streams", "F16", runner.ContextPlan{Sequences: 3, TypeK: llama.KVF16}, 0},
		{"attached", "F16", runner.ContextPlan{Sequences: 4, Shared: archContext + 51, Part: archContext, TypeK: llama.KVF16}, 2e-3},
		// Cells for two of the longest rows. Sums in another order round some values
		// in the cache otherwise, which made 0.0003.
		{"unified", "F16", runner.ContextPlan{Sequences: 9, Unified: true, Cells: archContext, TypeK: llama.KVF16}, 2e-3},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, _ := exactFile(t, "2,128,256,4,2", c.weights)
			m, err := llama.LoadModel(t.Context(), path, llama.ModelParams{NoRepack: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { closing(t, m.Close) })
			var total engine.Stats
			rapid.Check(t, func(r *rapid.T) {
				s := lifeOnModel(t, r, m, c.size, c.most)
				total.Reused += s.Reused
				total.Accepted += s.Accepted
				total.Preempted += s.Preempted
			})
			t.Logf("%+v", total)
			if total.Reused == 0 || total.Accepted == 0 {
				t.Errorf("nothing was reused or guessed, so nothing was tested: %+v", total)
			}
		})
	}
}

const timelineRow = 140 // the most tokens of a row

// timeline is the random life of one engine.
type timeline struct {
	*rapid.T
	engine *engine.Engine
	cache  *faultyBackend
	texts  [][]engine.Token // conversations so far
	// preamble is how many tokens all begin with that are pinned.
	preamble int
	greedy   [][2]int // turns without a temperature: which text, and where its answer starts
	left     int      // submissions to come
	open     int
}

// lifeOnModel lives one timeline, compares it and returns what the engine did.
func lifeOnModel(t *testing.T, r *rapid.T, m *llama.Model, s runner.ContextPlan, most float32) engine.Stats {
	t.Helper()
	s.Limit, s.Own, s.Context, s.Threads, s.FlashAttn = s.Shared+timelineRow, timelineRow, archContext, 1, llama.FlashOff
	b, err := runner.NewBackend(m, s)
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, b.Close)
	preamble := make([]engine.Token, s.Shared)
	for i := range preamble {
		preamble[i] = engine.Token(1 + i*i%7)
	}
	x := &timeline{T: r, left: rapid.IntRange(1, 20).Draw(r, "submissions"), preamble: s.Shared}
	x.texts = [][]engine.Token{append(preamble, 1, 2, 3, 1, 2, 4)}
	x.cache = &faultyBackend{logitKeeper: logitKeeper{Backend: b, held: make([][]engine.Token, s.Sequences), logits: map[string][]float32{}}}
	if x.engine, err = engine.New(x.cache, letters{}, engine.Config{Verify: true}); err != nil {
		t.Fatal(err)
	}
	if err := x.engine.Pin(t.Context(), preamble); err != nil {
		t.Fatal(err)
	}
	if rapid.Bool().Draw(r, "speculate") {
		x.engine.Speculate([]engine.StepCost{{Sequences: 1, Tokens: 1, Seconds: 1}, {Sequences: 1, Tokens: 8, Seconds: 1.01}})
	}
	for x.left > 0 {
		for range min(x.left, rapid.IntRange(1, 8).Draw(r, "burst")) {
			x.submit()
		}
		x.run(t.Context())
	}
	if x.open != 0 {
		r.Fatalf("%d requests never ended", x.open)
	}
	x.compare(func(text []engine.Token) [][]float32 { return plainLogits(t, m, s.TypeK, text) }, most)
	if s.Shared > 0 {
		x.compare(func(text []engine.Token) [][]float32 { return attachedLogits(t, m, s, text) }, 0)
	}
	return x.engine.Stats()
}

// run runs to the end, or is cancelled after some steps and taken up again by
// the next run.
func (x *timeline) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	x.cache.in, x.cache.cancel = rapid.IntRange(0, 40).Draw(x.T, "cancel after"), cancel
	if err := x.engine.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		x.Fatal(err)
	}
}

// submit asks for a turn or a score that goes on from some point of what was
// said. Few tokens are in use, so that there is much to guess.
func (x *timeline) submit() {
	x.left--
	base := x.texts[rapid.IntRange(0, len(x.texts)-1).Draw(x.T, "base")]
	cut, own := x.preamble+rapid.IntRange(1, min(len(base)-x.preamble, 40)).Draw(x.T, "cut"), rapid.SampledFrom([]int{0, 3, 12, 70, 70}).Draw(x.T, "own")
	prompt := slices.Concat(base[:cut], rapid.SliceOfN(rapid.Int32Range(1, 4), own, own).Draw(x.T, "tokens"))
	x.open++
	var err error
	if rapid.IntRange(0, 3).Draw(x.T, "kind") == 0 {
		options := rapid.SliceOfN(rapid.SliceOfN(rapid.Int32Range(1, 4), 1, 3), 1, 3).Draw(x.T, "options")
		err = x.engine.Score(&engine.Score{Tokens: prompt, Options: options, Done: func(s engine.Scores) { x.ended(s.Err) }})
	} else {
		turn := engine.Request{Tokens: prompt, MaxTokens: rapid.IntRange(1, 20).Draw(x.T, "max tokens"), Seed: uint64(x.left)}
		// Of a model of random weights only a bias makes a text repeat itself.
		turn.Sampling.LogitBias = map[engine.Token]float64{1: 40, 2: 40, 3: 40}
		turn.Sampling.Temperature = float64(rapid.IntRange(0, 1).Draw(x.T, "temperature"))
		turn.Done = func(got engine.Result) {
			if x.ended(got.Err); got.Err != nil {
				return
			}
			x.texts = append(x.texts, slices.Concat(prompt, got.Tokens))
			if turn.Sampling.Temperature == 0 {
				x.greedy = append(x.greedy, [2]int{len(x.texts) - 1, len(prompt)})
			}
			if x.left > 0 && rapid.Bool().Draw(x.T, "go on") {
				x.submit()
			}
		}
		err = x.engine.Submit(&turn)
	}
	if err != nil {
		x.Fatal(err)
	}
}

func (x *timeline) ended(err error) {
	x.open--
	if err != nil && !errors.Is(err, engine.ErrStopped) {
		x.Fatal(err)
	}
}

// compare has each conversation computed at once, and compares the logits that
// the engine read on its way there.
func (x *timeline) compare(atOnce func(text []engine.Token) [][]float32, most float32) {
	for i, text := range x.texts {
		logits := atOnce(text)
		for pos, want := range logits {
			if want == nil {
				continue
			}
			if got, ok := x.cache.logits[key(text[:pos+1])]; ok {
				if d := difference(got, want); d > most {
					x.Fatalf("after %v the logits differ by %g of their range", text[:pos+1], d)
				}
			}
		}
		for _, g := range x.greedy {
			if g[0] == i && most == 0 {
				x.likeliest(text, g[1], logits)
			}
		}
	}
}

// attachedLogits are those of a text behind a preamble, computed at once in a
// context that has nothing else.
func attachedLogits(t *testing.T, m *llama.Model, s runner.ContextPlan, text []engine.Token) [][]float32 {
	t.Helper()
	s.Sequences = 2
	b, err := runner.NewBackend(m, s)
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, b.Close)
	var pin, own []engine.Input
	for pos, token := range text {
		if pos < s.Shared {
			pin = append(pin, engine.Input{Token: token, Pos: int32(pos), Seq: 1})
		} else {
			own = append(own, engine.Input{Token: token, Pos: int32(pos), Seq: 0, Logits: true})
		}
	}
	out := make([][]float32, len(text))
	if err := b.Decode(t.Context(), pin); err != nil {
		t.Fatal(err)
	}
	if !b.Attach(1, 0) {
		t.Fatal("cannot be attached")
	}
	for chunk := range slices.Chunk(own, 64) {
		if err := b.Decode(t.Context(), chunk); err != nil {
			t.Fatal(err)
		}
		for i, in := range chunk {
			logits, err := b.Logits(i)
			if err != nil {
				t.Fatal(err)
			}
			out[in.Pos] = slices.Clone(logits)
		}
	}
	return out
}

// likeliest checks the tokens that a greedy turn drew.
func (x *timeline) likeliest(text []engine.Token, from int, logits [][]float32) {
	for pos := from; pos < len(text); pos++ {
		best, value := engine.Token(0), float32(-1e30)
		for token, l := range logits[pos-1] {
			if token >= 1 && token <= 3 {
				l += 40
			}
			if l > value {
				best, value = engine.Token(token), l
			}
		}
		if text[pos] != best {
			x.Fatalf("after %v a greedy turn took token %d, not %d", text[:pos], text[pos], best)
		}
	}
}

// faultyBackend is a logitKeeper that promises more unified cells than there are, and
// calls cancel at the start of a Decode to come.
type faultyBackend struct {
	logitKeeper
	in     int // Decodes from now; 0 never
	cancel func()
}

// Limits implements engine.Backend.
func (c *faultyBackend) Limits() engine.Limits {
	l := c.logitKeeper.Limits()
	if l.Unified {
		l.Cells *= 4
	}
	return l
}

// Decode implements engine.Backend.
func (c *faultyBackend) Decode(ctx context.Context, batch []engine.Input) error {
	if c.in > 0 {
		if c.in--; c.in == 0 {
			c.cancel()
		}
	}
	return c.logitKeeper.Decode(ctx, batch)
}
