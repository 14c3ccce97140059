package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"amend/engine"
	"amend/engine/enginetest"
	"amend/engine/sample"
)

// drawLimits draws sizes small enough that sequences and cells run short.
func drawLimits(t *rapid.T) engine.Limits {
	l := engine.Limits{
		Sequences: rapid.IntRange(2, 6).Draw(t, "sequences"),
		Context:   rapid.IntRange(40, 60).Draw(t, "context"),
		Unified:   rapid.Bool().Draw(t, "unified"),
		Batch:     rapid.IntRange(6, 30).Draw(t, "batch"),

		Uncuttable: rapid.Bool().Draw(t, "uncuttable"),
	}
	l.Cells = l.Sequences * l.Context
	if l.Unified {
		l.Cells = rapid.IntRange(l.Context, l.Sequences*l.Context).Draw(t, "cells")
	}
	return l
}

// conversation is a row of a random workload: turns one after the other, each
// going on from the last or from an earlier point.
type conversation struct {
	prompt []engine.Token
	cuts   []int // for each further turn, how many tokens of the last one are kept
}

func drawConversations(t *rapid.T) []conversation {
	token := rapid.Int32Range(1, 4)
	preamble := rapid.SliceOfN(token, 1, 12).Draw(t, "preamble")
	var rows []conversation
	for range rapid.IntRange(1, 8).Draw(t, "rows") {
		own := rapid.SliceOfN(token, 1, 6).Draw(t, "prompt")
		rows = append(rows, conversation{
			prompt: slices.Concat(preamble, own),
			cuts:   rapid.SliceOfN(rapid.IntRange(1, 20), 0, 3).Draw(t, "cuts"),
		})
	}
	return rows
}

// request is turn number turn of a row, whose tokens so far are given.
func request(row, turn int, tokens []engine.Token) engine.Request {
	return engine.Request{
		Tokens: tokens, MaxTokens: 5, Seed: uint64(row*100 + turn),
		Sampling: sample.Params{Temperature: 1}, Stop: []string{"zz"},
	}
}

// TestAnySchedulePrintsTheSameTokens: whatever the sizes of the cache, the
// layout, the batches and the neighbours, each turn's tokens are those of the
// turn computed alone from nothing, and the tree agrees with the cache after
// every step.
func TestAnySchedulePrintsTheSameTokens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := enginetest.New(drawLimits(t))
		m.EndBias = float32(rapid.IntRange(0, 3).Draw(t, "end bias"))
		e, err := engine.New(m, m, engine.Config{Verify: true, NoReuse: rapid.Bool().Draw(t, "no reuse")})
		if err != nil {
			t.Fatal(err)
		}
		rows := drawConversations(t)
		if rapid.Bool().Draw(t, "pin") {
			if err := e.Pin(context.Background(), rows[0].prompt[:1]); err != nil {
				t.Fatal(err)
			}
		}
		finished := 0
		for i, row := range rows {
			submitTurns(t, e, m, i, 0, row.prompt, row.cuts, &finished)
		}
		if err := e.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if finished != len(rows) {
			t.Fatalf("%d of %d rows finished", finished, len(rows))
		}
	})
}

func submitTurns(t *rapid.T, e *engine.Engine, m *enginetest.Model, row, turn int, tokens []engine.Token, cuts []int, finished *int) {
	r := request(row, turn, tokens)
	want, err := m.Continue(r)
	if err != nil {
		t.Fatal(err)
	}
	r.Done = func(got engine.Result) {
		if got.Err != nil || !slices.Equal(got.Tokens, want.Tokens) || got.Text != want.Text || got.End != want.End {
			t.Fatalf("row %d turn %d: %v %q %q %v, alone %v %q %q", row, turn, got.Tokens, got.Text, got.End, got.Err, want.Tokens, want.Text, want.End)
		}
		whole := slices.Concat(tokens, got.Tokens)
		if len(cuts) == 0 || len(whole) > 30 {
			*finished++
			return
		}
		next := append(slices.Clone(whole[:max(1, len(whole)-cuts[0])]), 3)
		submitTurns(t, e, m, row, turn+1, next, cuts[1:], finished)
	}
	if err := e.Submit(&r); err != nil {
		t.Fatal(err)
	}
}

// TestEachPrefixIsComputedOnce: rows that share a preamble, with room for all
// of them, compute it once, in both layouts, pinned or not.
func TestEachPrefixIsComputedOnce(t *testing.T) {
	preamble := slices.Repeat([]engine.Token{1, 2, 3, 4}, 20) // 80 tokens, worth a copy between streams
	for _, unified := range []bool{true, false} {
		for _, pin := range []bool{true, false} {
			m := enginetest.New(engine.Limits{Sequences: 8, Context: 200, Cells: 1600, Unified: unified, Batch: 64})
			e, err := engine.New(m, m, engine.Config{Verify: true})
			if err != nil {
				t.Fatal(err)
			}
			if pin {
				if err := e.Pin(context.Background(), preamble); err != nil {
					t.Fatal(err)
				}
			}
			const rows = 7
			for i := range rows {
				own := []engine.Token{engine.Token(5 + i), 9, 9}
				r := request(i, 0, slices.Concat(preamble, own))
				r.Done = func(engine.Result) {}
				if err := e.Submit(&r); err != nil {
					t.Fatal(err)
				}
			}
			if err := e.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got, want := e.Stats().Prefilled, len(preamble)+rows*3; got != want {
				t.Errorf("unified=%v pin=%v: %d prompt tokens computed, want %d: the preamble once and 3 for each row", unified, pin, got, want)
			}
		}
	}
}

// TestNextTurnComputesOnlyItsNewTokens is the KV reuse that the critique loop
// lives on.
func TestNextTurnComputesOnlyItsNewTokens(t *testing.T) {
	m := enginetest.New(engine.Limits{Sequences: 2, Context: 100, Cells: 200, Batch: 32})
	e, err := engine.New(m, m, engine.Config{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	first := request(0, 0, slices.Repeat([]engine.Token{7}, 40))
	first.Done = func(got engine.Result) {
		next := request(0, 1, slices.Concat(first.Tokens, got.Tokens, []engine.Token{5, 6}))
		next.Done = func(second engine.Result) {
			// The last generated token was sampled, never decoded.
			if want := len(next.Tokens) - 3; second.Reused != want && len(got.Tokens) > 0 {
				t.Errorf("reused %d of %d prompt tokens, want %d", second.Reused, second.Prompt, want)
			}
		}
		if err := e.Submit(&next); err != nil {
			t.Error(err)
		}
	}
	if err := e.Submit(&first); err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestBoundaryOfTheContext(t *testing.T) {
	for _, c := range []struct {
		prompt int
		fits   bool
	}{{14, true}, {15, true}, {16, false}} {
		m := enginetest.New(engine.Limits{Sequences: 1, Context: 20, Cells: 20, Batch: 4})
		m.EndBias = -100
		e, err := engine.New(m, m, engine.Config{Verify: true})
		if err != nil {
			t.Fatal(err)
		}
		r := request(0, 0, slices.Repeat([]engine.Token{1}, c.prompt))
		r.Stop = nil
		r.Done = func(got engine.Result) {
			if got.Err != nil || got.End != engine.EndLength || len(got.Tokens) != 5 {
				t.Errorf("prompt of %d: %+v", c.prompt, got)
			}
		}
		err = e.Submit(&r)
		var long *engine.TooLongError
		if errors.As(err, &long) == c.fits {
			t.Errorf("prompt of %d tokens, 5 to generate, room for 20: %v", c.prompt, err)
		}
		if !c.fits && (long.Prompt != c.prompt || long.Context != 20 || !strings.Contains(err.Error(), "needs 21 tokens")) {
			t.Errorf("the error must say both numbers: %v", err)
		}
		if err := e.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOneRowFailsAlone: logits that are not numbers fail the turn they belong
// to, the others go on and print what they print alone.
func TestOneRowFailsAlone(t *testing.T) {
	m := enginetest.New(engine.Limits{Sequences: 3, Context: 40, Cells: 120, Batch: 8})
	m.Poison = 26
	e, err := engine.New(m, m, engine.Config{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for i, last := range []engine.Token{2, 26, 3} {
		r := request(i, 0, []engine.Token{1, last})
		r.Sampling.Temperature = 0
		want, err := m.Continue(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Done = func(got engine.Result) {
			if errors.Is(got.Err, sample.ErrLogits) {
				failed++
			}
			if (last == 26) != errors.Is(got.Err, sample.ErrLogits) || !slices.Equal(got.Tokens, want.Tokens) {
				t.Errorf("row %d: %+v, alone %+v", i, got, want)
			}
		}
		if err := e.Submit(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if failed != 1 {
		t.Errorf("%d rows failed, want 1", failed)
	}
}

// TestNoSlotRequeues: the cache says no though the engine believed there was
// room. Turns are put back and still print the same; one that cannot run even
// alone fails alone, and nothing hangs.
func TestNoSlotRequeues(t *testing.T) {
	m := enginetest.New(engine.Limits{Sequences: 4, Context: 60, Cells: 240, Unified: true, Batch: 16})
	m.Slots = 50
	e, err := engine.New(m, m, engine.Config{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	var ok, failed int
	for i, n := range []int{20, 20, 20, 55} {
		r := request(i, 0, slices.Repeat([]engine.Token{engine.Token(i + 1)}, n))
		want, err := m.Continue(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Done = func(got engine.Result) {
			switch {
			case errors.Is(got.Err, engine.ErrNoSlot) && n == 55:
				failed++
			case got.Err == nil && slices.Equal(got.Tokens, want.Tokens):
				ok++
			default:
				t.Errorf("row %d: %+v, alone %+v", i, got, want)
			}
		}
		if err := e.Submit(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if ok != 3 || failed != 1 {
		t.Errorf("%d turns finished and %d failed, want 3 and 1", ok, failed)
	}
}

func TestCancelEndsEveryRequestOnce(t *testing.T) {
	m := enginetest.New(engine.Limits{Sequences: 2, Context: 40, Cells: 80, Batch: 8})
	e, err := engine.New(m, m, engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var ended int
	for i := range 5 {
		r := request(i, 0, []engine.Token{engine.Token(i + 1)})
		r.Done = func(got engine.Result) {
			ended++
			cancel()
		}
		if err := e.Submit(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Run(ctx); !errors.Is(err, context.Canceled) || ended != 5 {
		t.Errorf("%v, %d of 5 requests ended", err, ended)
	}
}

// failing is a model whose context breaks.
type failing struct {
	*enginetest.Model
	after int // steps that work
}

func (f *failing) Decode(ctx context.Context, batch []engine.Input) error {
	if f.after--; f.after < 0 {
		return fmt.Errorf("%w: llama_decode returned -3", engine.ErrFatal)
	}
	return f.Model.Decode(ctx, batch)
}

// TestABrokenContextEndsTheRun: every request gets the cause, once, as one that
// was not finished and can be run again; what was finished before stays.
func TestABrokenContextEndsTheRun(t *testing.T) {
	m := enginetest.New(engine.Limits{Sequences: 2, Context: 40, Cells: 80, Batch: 8})
	m.EndBias = -100
	e, err := engine.New(&failing{m, 8}, m, engine.Config{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	ends := map[bool]int{} // by whether the turn was finished
	for i := range 5 {
		r := request(i, 0, []engine.Token{engine.Token(i + 1)})
		r.Stop = nil
		r.Done = func(got engine.Result) {
			if got.Err != nil && !(errors.Is(got.Err, engine.ErrStopped) && errors.Is(got.Err, engine.ErrFatal)) {
				t.Errorf("row %d: %v", i, got.Err)
			}
			ends[got.Err == nil]++
		}
		if err := e.Submit(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Run(context.Background()); !errors.Is(err, engine.ErrFatal) || ends[true] != 2 || ends[false] != 3 {
		t.Errorf("%v; finished and not: %v, want 2 and 3", err, ends)
	}
}

// TestSameRunSameBatches: the schedule depends on requests alone.
func TestSameRunSameBatches(t *testing.T) {
	batches := func() []int {
		m := enginetest.New(engine.Limits{Sequences: 4, Context: 60, Cells: 240, Batch: 8})
		e, err := engine.New(m, m, engine.Config{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 9 {
			r := request(i, 0, slices.Repeat([]engine.Token{engine.Token(i%3 + 1)}, 10+i))
			r.Done = func(engine.Result) {}
			if err := e.Submit(&r); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return m.Batches
	}
	if first, again := batches(), batches(); !slices.Equal(first, again) {
		t.Errorf("batches %v, then %v", first, again)
	}
}

// TestNextTurnGoesBeforeANewRow: a request that waits since long does not take
// the sequence whose KV a row's next turn is about to use.
func TestNextTurnGoesBeforeANewRow(t *testing.T) {
	m := enginetest.New(engine.Limits{Sequences: 1, Context: 100, Cells: 100, Batch: 32})
	m.EndBias = -100
	e, err := engine.New(m, m, engine.Config{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	submit := func(r engine.Request, done func(engine.Result)) {
		r.Done = done
		if err := e.Submit(&r); err != nil {
			t.Error(err)
		}
	}
	row := request(0, 0, slices.Repeat([]engine.Token{7}, 30))
	submit(row, func(got engine.Result) {
		submit(request(0, 1, slices.Concat(row.Tokens, got.Tokens, []engine.Token{5})), func(next engine.Result) {
			if next.Reused < len(row.Tokens) {
				t.Errorf("the next turn found %d tokens in the cache, its row had %d there", next.Reused, len(row.Tokens))
			}
		})
	})
	submit(request(1, 0, []engine.Token{1, 2, 3}), func(engine.Result) {})
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}
