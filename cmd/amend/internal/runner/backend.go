// Package runner joins the engine to llama.cpp: engine.Backend, engine.Vocab,
// chat.Tokenizer and chat.Renderer over engine/llama, and the choice of a
// context's size for the machine at hand.
package runner

import (
	"context"
	"errors"
	"fmt"

	"amend/cmd/amend/internal/failure"
	"amend/engine"
	"amend/engine/llama"
)

// Backend is an engine.Backend over one llama.cpp context. Like the context it
// is used by one goroutine at a time.
type Backend struct {
	ctx      *llama.Context
	batch    *llama.Batch
	params   llama.ContextParams
	limits   engine.Limits
	preamble preamble
}

// NewBackend makes a context of the given sizes. Close frees it.
func NewBackend(m *llama.Model, s ContextPlan) (*Backend, error) {
	uncuttable := m.Recurrent() || m.Hybrid()
	if s.Unified && uncuttable && m.SWA() > 0 {
		// llama_kv_cache::prepare places all micro-batches of a batch before the
		// first is computed, and forgets what that purged behind windows.
		// Unified batches are one micro-batch except for states, which want
		// sequences of equal length.
		return nil, &failure.FieldError{Field: "kv", Value: string(Unified), Want: "this model has a sliding window beside recurrent states, and llama.cpp loses parts of the window when its sequences share cells; use streams"}
	}
	p := llama.ContextParams{
		Ctx: s.cells(), SeqMax: s.streams(), KVUnified: s.Unified,
		Batch: BatchTokens, UBatch: BatchTokens, OutputsMax: outputs(s.Sequences, m.Vocab().Size()),
		Threads: s.Threads, ThreadsBatch: s.Threads,
		TypeK: s.TypeK, FlashAttn: s.FlashAttn,
		// Layers with a sliding window take the memory of full layers, and
		// in streams their sequences can be cut anywhere; see reaches.
		SWAFull: true,
	}
	c, err := m.NewContext(p)
	if err != nil {
		return nil, err
	}
	b, err := llama.NewBatch(BatchTokens, 1)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	cells := c.NCtx()
	room := cells
	if !s.Unified {
		room = c.NCtxSeq()
		cells = room * s.streams()
	}
	own := s.Own
	if own == 0 {
		own = s.Limit
	}
	pre := newPreamble(s)
	if pre.part > room {
		return nil, errors.Join(fmt.Errorf("a part of the preamble has %d tokens, and a stream %d cells: StreamCells says how many it needs", pre.part, room), b.Close(), c.Close())
	}
	return &Backend{ctx: c, batch: b, params: p, preamble: pre, limits: engine.Limits{
		Sequences: s.Sequences, Context: min(room, own), Shared: s.Shared, Cells: cells,
		Unified: s.Unified, Uncuttable: uncuttable, Batch: min(BatchTokens, c.NBatch()), Outputs: p.OutputsMax,
	}}, nil
}

// Close frees the context.
func (b *Backend) Close() error { return errors.Join(b.batch.Close(), b.ctx.Close()) }

// SetAdapter makes the context compute with a LoRA adapter, before the first Decode. The caller closes the adapter, after
// the backend.
func (b *Backend) SetAdapter(a *llama.Adapter, scale float64) error {
	return b.ctx.SetAdapters([]*llama.Adapter{a}, []float32{float32(scale)})
}

// Limits implements engine.Backend.
func (b *Backend) Limits() engine.Limits { return b.limits }

// Decode implements engine.Backend (llama_decode).
func (b *Backend) Decode(ctx context.Context, batch []engine.Input) error {
	decode := func(batch []engine.Input) error { return b.decode(ctx, batch) }
	if len(batch) > 0 && b.preamble.in(batch[0].Seq) {
		return b.decodePreamble(decode, batch)
	}
	return decode(batch)
}

func (b *Backend) decode(ctx context.Context, batch []engine.Input) error {
	b.batch.Clear()
	for _, in := range batch {
		if err := b.batch.Add(in.Token, in.Pos, in.Logits, int32(in.Seq)); err != nil {
			return err
		}
	}
	err := b.ctx.Decode(ctx, b.batch)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, llama.ErrNoSlot):
		return engine.ErrNoSlot
	case errors.Is(err, llama.ErrFatal):
		return fmt.Errorf("%w: %w", engine.ErrFatal, err)
	}
	return err
}

// Logits implements engine.Backend. The slice is llama.cpp's own memory.
func (b *Backend) Logits(i int) ([]float32, error) { return b.ctx.Logits(i) }

// Copy implements engine.Backend. Between streams llama.cpp copies a sequence
// whole, so the copy is cut to length after. Of a preamble in parts nothing is
// copied.
func (b *Backend) Copy(src, dst, n int) bool {
	if !b.reaches(src, n) || b.preamble.in(src) || b.preamble.in(dst) {
		return false
	}
	to := int32(-1)
	if b.limits.Unified && !b.limits.Uncuttable {
		to = int32(n)
	}
	if err := b.ctx.SeqCopy(int32(src), int32(dst), -1, to); err != nil {
		return false
	}
	if b.Cut(dst, n) {
		return true
	}
	b.Cut(dst, 0)
	return false
}

// Attach implements engine.Backend (llama_memory_seq_attach).
func (b *Backend) Attach(src, dst int) bool {
	if !b.preamble.in(src) {
		return false
	}
	last := b.preambleEnd() / b.preamble.part
	return b.ctx.SeqAttach(int32(dst), int32(b.preamble.seq+last))
}

// Cut implements engine.Backend (llama_memory_seq_rm).
func (b *Backend) Cut(seq, n int) bool {
	if b.preamble.in(seq) {
		return n == 0 && b.clearPreamble()
	}
	return b.reaches(seq, n) && b.ctx.SeqRemove(int32(seq), int32(n), -1)
}

// reaches reports whether all that a token at position n of a sequence attends
// to is in the cache. Where a sliding window has passed, it need not be: even
// in a cache of full length llama.cpp takes cells that the window of their
// sequence has left for free ones (llama_kv_cache::find_slot), when it looks
// for room among them. In streams that room comes after a sequence's cells and
// is enough for it; unified cells of several sequences lie mixed.
//
// A state is there whole, whatever window the layers beside it have.
func (b *Backend) reaches(seq, n int) bool {
	window := b.ctx.Model().SWA()
	if window == 0 || n == 0 || b.limits.Uncuttable {
		return true
	}
	first := int(b.ctx.SeqPosMin(int32(seq)))
	return first >= 0 && first <= max(0, n-window+1)
}

// Positions implements engine.Backend. The first is 0 where what the cache
// lacks lies behind the window, and where a state stands for all positions.
func (b *Backend) Positions(seq int) (first, last int) {
	if b.preamble.in(seq) {
		return int(b.ctx.SeqPosMin(int32(seq))), b.preambleEnd()
	}
	first, last = int(b.ctx.SeqPosMin(int32(seq))), int(b.ctx.SeqPosMax(int32(seq)))
	if first > 0 && b.reaches(seq, last+1) {
		first = 0
	}
	return first, last
}

// SaveSequence implements engine.Backend (llama_state_seq_get_data).
func (b *Backend) SaveSequence(seq int) ([]byte, error) {
	if b.preamble.in(seq) {
		return b.savePreamble()
	}
	_, last := b.Positions(seq)
	if window := b.ctx.Model().SWA(); window > 0 && last >= window {
		return nil, fmt.Errorf("of a model with a sliding window llama.cpp saves only the last %d tokens, and the sequence has %d", window, last+1)
	}
	return b.ctx.SeqState(int32(seq))
}

// RestoreSequence implements engine.Backend (llama_state_seq_set_data).
func (b *Backend) RestoreSequence(seq int, state []byte) error {
	restore := func() error { return b.ctx.SetSeqState(int32(seq), state) }
	if b.preamble.in(seq) {
		restore = func() error { return b.restorePreamble(state) }
	}
	err := restore()
	if err != nil {
		b.Cut(seq, 0)
	}
	return err
}
