package llama_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"amend/engine/llama"
)

const passage = "The harbour was quiet that morning, and the fishermen mended their nets while the tide went out."

func TestDecodeContinuesText(t *testing.T) {
	m := openSmol(t)
	c := openContext(t, m, llama.ContextParams{Ctx: 256})
	logits := decode(t, c, 0, 0, tokenize(t, m, "The capital of France is"))
	if len(logits) != m.Vocab().Size() {
		t.Fatalf("%d logits, want one for each of %d tokens", len(logits), m.Vocab().Size())
	}
	if got := string(m.Vocab().Piece(best(logits), false)); got != " Paris" {
		t.Errorf("most likely next: %q", got)
	}
}

func TestContextReportsActualSizes(t *testing.T) {
	m := openSmol(t)
	c := openContext(t, m, llama.ContextParams{Ctx: 1000, Batch: 64, UBatch: 32, SeqMax: 3, Threads: 1, ThreadsBatch: 2})
	for _, f := range []struct {
		name      string
		got, want int
	}{
		{"NCtx", c.NCtx(), 3 * 512}, // a stream of ceil(1000/3) cells, padded to 256
		{"NCtxSeq", c.NCtxSeq(), 512},
		{"NBatch", c.NBatch(), 64},
		{"NUBatch", c.NUBatch(), 32},
		{"NSeqMax", c.NSeqMax(), 3},
	} {
		if f.got != f.want {
			t.Errorf("%s is %d, want %d", f.name, f.got, f.want)
		}
	}
	if one, many := c.Threads(); one != 1 || many != 2 {
		t.Errorf("threads %d and %d", one, many)
	}
}

// Zero threads are as many as the process may use, which a CPU quota can make
// fewer than the machine has.
func TestThreadsByDefault(t *testing.T) {
	allowed := runtime.NumCPU() + 1 // whatever it is, not the machine's
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(allowed))
	c, err := openTiny(t).NewContext(llama.ContextParams{Ctx: 256})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, c) })
	if one, many := c.Threads(); one != allowed || many != allowed {
		t.Errorf("%d and %d threads, want %d", one, many, allowed)
	}
}

func TestKVBytes(t *testing.T) {
	m := openSmol(t)
	// 30 layers, 3 heads of 64 values for keys and for values.
	if got, want := m.KVBytes(1000, llama.KVF16, llama.KVF16), uint64(1000*30*2*192*2); got != want {
		t.Errorf("f16: %d bytes, want %d", got, want)
	}
	if got, want := m.KVBytes(1000, llama.KVQ8_0, llama.KVF32), uint64(1000*30*(192/32*34+192*4)); got != want {
		t.Errorf("q8_0 and f32: %d bytes, want %d", got, want)
	}
}

func TestKVTypeNames(t *testing.T) {
	for ty := llama.KVF16; ty <= llama.KVIQ4_NL; ty++ {
		if got, err := llama.ParseKVType(ty.String()); err != nil || got != ty {
			t.Errorf("%v is read as %v, %v", ty, got, err)
		}
	}
	if _, err := llama.ParseKVType("q9"); err == nil || !strings.Contains(err.Error(), "q8_0") {
		t.Errorf("unknown type: %v, want the names there are", err)
	}
}

func TestContextParamsRefused(t *testing.T) {
	m := openSmol(t)
	_, err := m.NewContext(llama.ContextParams{Ctx: 1 << 30, SeqMax: 4})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(1<<30)) || !strings.Contains(err.Error(), "MiB") || !strings.Contains(err.Error(), "smaller context") {
		t.Errorf("a context beyond all memory: %v, want the sizes and what to do", err)
	}
	for name, p := range map[string]llama.ContextParams{
		"too many sequences": {SeqMax: llama.MaxSequences() + 1},
		"negative context":   {Ctx: -1},
		"too many threads":   {Threads: 100_000},
		"unknown KV type":    {TypeK: 99},
		"unknown flash":      {FlashAttn: 7},
		"quantized V, no FA": {Ctx: 256, TypeV: llama.KVQ8_0, FlashAttn: llama.FlashOff},
	} {
		c, err := m.NewContext(p)
		if err == nil {
			mustClose(t, c)
			t.Errorf("%s: no error", name)
		}
	}
}

func TestLogitsIsAView(t *testing.T) {
	m := openSmol(t)
	c := openContext(t, m, llama.ContextParams{Ctx: 256})
	tokens := tokenize(t, m, passage)
	decode(t, c, 0, 0, tokens)
	a, err := c.Logits(len(tokens) - 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Logits(len(tokens) - 1)
	if err != nil {
		t.Fatal(err)
	}
	if &a[0] != &b[0] {
		t.Error("two calls gave two copies")
	}
	if n := testing.AllocsPerRun(10, func() { _, _ = c.Logits(len(tokens) - 1) }); n > 0 {
		t.Errorf("%v allocations a call", n)
	}
	for _, i := range []int{-1, 0, len(tokens), 1 << 30} {
		if _, err := c.Logits(i); err == nil {
			t.Errorf("logits of token %d, whose output was not asked for: no error", i)
		}
	}
	if _, err := c.Embedding(len(tokens) - 1); err == nil {
		t.Error("embedding without embeddings: no error")
	}
}

func TestEmbedding(t *testing.T) {
	m := openSmol(t)
	c := openContext(t, m, llama.ContextParams{Ctx: 256, Embeddings: true})
	tokens := tokenize(t, m, passage)
	decode(t, c, 0, 0, tokens)
	for i := range tokens {
		e, err := c.Embedding(i)
		if err != nil {
			t.Fatal(err)
		}
		if len(e) != m.EmbdOut() || slices.Max(e) == 0 || math.IsNaN(float64(e[0])) {
			t.Fatalf("embedding %d: %d values, first %v", i, len(e), e[0])
		}
	}
	if err := c.SetEmbeddings(false); err != nil {
		t.Fatal(err)
	}
	decode(t, c, 0, int32(len(tokens)), tokens[:1])
	if _, err := c.Embedding(0); err == nil {
		t.Error("embedding after SetEmbeddings(false): no error")
	}
}

func TestInvalidBatches(t *testing.T) {
	m := openSmol(t)
	for _, unified := range []bool{true, false} {
		c := openContext(t, m, llama.ContextParams{Ctx: 512, Batch: 16, UBatch: 16, SeqMax: 2, KVUnified: unified, OutputsMax: 4})
		for name, fill := range map[string]func(b *llama.Batch) error{
			"empty":                  func(b *llama.Batch) error { return nil },
			"token outside":          func(b *llama.Batch) error { return b.Add(1<<30, 0, true, 0) },
			"negative token":         func(b *llama.Batch) error { return b.Add(-1, 0, true, 0) },
			"sequence outside":       func(b *llama.Batch) error { return b.Add(1, 0, true, 2) },
			"position jumps":         func(b *llama.Batch) error { return errors.Join(b.Add(1, 0, true, 0), b.Add(1, 5, true, 0)) },
			"longer than NBatch":     func(b *llama.Batch) error { return addMany(b, 17, false) },
			"more outputs than room": func(b *llama.Batch) error { return addMany(b, 5, true) },
		} {
			t.Run(fmt.Sprintf("%s/unified=%v", name, unified), func(t *testing.T) {
				b := newBatch(t, 32, 2)
				if err := fill(b); err != nil {
					t.Fatal(err)
				}
				err := c.Decode(context.Background(), b)
				var de *llama.DecodeError
				if !errors.Is(err, llama.ErrInvalidBatch) || !errors.As(err, &de) || de.Code != -1 {
					t.Fatalf("got %v", err)
				}
				if c.SeqPosMax(0) != -1 {
					t.Error("the cache changed")
				}
			})
		}
	}
}

func addMany(b *llama.Batch, n int, logits bool) error {
	for i := range n {
		if err := b.Add(1, int32(i), logits, 0); err != nil {
			return err
		}
	}
	return nil
}

func TestSharedTokens(t *testing.T) {
	m := openSmol(t)
	for _, unified := range []bool{true, false} {
		c := openContext(t, m, llama.ContextParams{Ctx: 512, SeqMax: 2, KVUnified: unified})
		b := newBatch(t, 4, 2)
		if err := b.Add(1, 0, true, 0, 1); err != nil {
			t.Fatal(err)
		}
		// llama.cpp calls a token in two streams a lack of room, which it never is.
		if err := c.Decode(context.Background(), b); errors.Is(err, llama.ErrInvalidBatch) == unified {
			t.Errorf("unified %v: %v", unified, err)
		}
	}
}

func TestNoSlotChangesNothing(t *testing.T) {
	m := openTiny(t)
	c := openContext(t, m, llama.ContextParams{Ctx: 256, SeqMax: 2, KVUnified: true})
	text := tokenize(t, m, passage)
	decode(t, c, 0, 0, text)
	long := make([]llama.Token, 256-len(text))
	for i := range long {
		long[i] = text[i%len(text)]
	}
	decode(t, c, 1, 0, long)
	before := []int32{c.SeqPosMax(0), c.SeqPosMax(1)}

	b := newBatch(t, 1, 1)
	if err := b.Add(text[0], before[0]+1, true, 0); err != nil {
		t.Fatal(err)
	}
	err := c.Decode(context.Background(), b)
	var de *llama.DecodeError
	if !errors.Is(err, llama.ErrNoSlot) || !errors.As(err, &de) || de.Code != 1 || de.Tokens != 1 {
		t.Fatalf("got %v", err)
	}
	if after := []int32{c.SeqPosMax(0), c.SeqPosMax(1)}; !slices.Equal(before, after) {
		t.Errorf("positions %v before and %v after", before, after)
	}
	if _, err := c.Logits(0); err == nil {
		t.Error("logits after a failed decode: no error")
	}
	if !c.SeqRemove(1, -1, -1) {
		t.Fatal("a whole sequence was not removed")
	}
	if err := c.Decode(context.Background(), b); err != nil {
		t.Errorf("after making room: %v", err)
	}
}

// endsWhenWatched is a context.Context that ends as soon as someone asks to be
// told of its end: Decode finds it alive when it starts, and is then aborted
// while it runs, without a clock.
type endsWhenWatched struct {
	context.Context
	done  chan struct{}
	ended atomic.Bool
}

func (c *endsWhenWatched) Done() <-chan struct{} { return c.done }

func (c *endsWhenWatched) Err() error {
	if c.ended.Load() {
		return context.DeadlineExceeded
	}
	return nil
}

// AfterFunc is what context.AfterFunc calls.
func (c *endsWhenWatched) AfterFunc(f func()) func() bool {
	c.ended.Store(true)
	close(c.done)
	go f()
	return func() bool { return false }
}

func TestDecodeAborted(t *testing.T) {
	m := openSmol(t)
	c := openContext(t, m, llama.ContextParams{Ctx: 4096, Batch: 4096, UBatch: 64})
	b := newBatch(t, 4000, 1)
	for i := range 4000 {
		if err := b.Add(llama.Token(100+i), int32(i), i == 3999, 0); err != nil {
			t.Fatal(err)
		}
	}
	cause := errors.New("enough of this")

	ended, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if err := c.Decode(ended, b); !errors.Is(err, llama.ErrAborted) || !errors.Is(err, cause) || !errors.Is(err, context.Canceled) {
		t.Fatalf("a context that had ended: %v", err)
	}
	if c.SeqPosMax(0) != -1 {
		t.Error("a context that had ended let tokens in")
	}

	running := &endsWhenWatched{Context: context.Background(), done: make(chan struct{})}
	err := c.Decode(running, b)
	var de *llama.DecodeError
	if !errors.Is(err, llama.ErrAborted) || !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &de) || de.Code != 2 {
		t.Fatalf("a context that ended meanwhile: %v", err)
	}
	if got := c.SeqPosMax(0); got >= 3999 || (got+1)%64 != 0 {
		t.Errorf("aborted at position %d, want whole micro-batches of 64", got)
	}

	if err := c.ClearMemory(false); err != nil {
		t.Fatal(err)
	}
	logits := decode(t, c, 0, 0, tokenize(t, m, "The capital of France is"))
	if got := string(m.Vocab().Piece(best(logits), false)); got != " Paris" {
		t.Errorf("after the abort the most likely next is %q", got)
	}
}

func TestBatch(t *testing.T) {
	if _, err := llama.NewBatch(0, 1); err == nil {
		t.Error("a batch of no tokens: no error")
	}
	if _, err := llama.NewBatch(1, llama.MaxSequences()+1); err == nil {
		t.Error("a batch of too many sequences: no error")
	}
	b := newBatch(t, 2, 2)
	for name, err := range map[string]error{
		"no sequence":        b.Add(1, 0, true),
		"too many sequences": b.Add(1, 0, true, 0, 1, 2),
		"sequence twice":     b.Add(1, 0, true, 1, 1),
		"negative sequence":  b.Add(1, 0, true, -1),
		"sequence 256":       b.Add(1, 0, true, int32(llama.MaxSequences())),
		"negative position":  b.Add(1, -1, true, 0),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if b.Len() != 0 {
		t.Fatalf("refused tokens were added: %d", b.Len())
	}
	if err := addMany(b, 2, false); err != nil {
		t.Fatal(err)
	}
	if err := b.Add(1, 2, false, 0); !errors.Is(err, llama.ErrBatchFull) {
		t.Errorf("a third token of two: %v", err)
	}
	b.Clear()
	if b.Len() != 0 {
		t.Errorf("%d tokens after Clear", b.Len())
	}
	if err := addMany(b, 2, false); err != nil {
		t.Error(err)
	}
}
