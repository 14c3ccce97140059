// Package local joins the engine to llama.cpp: engine.Backend, engine.Vocab,
// chat.Tokenizer and chat.Renderer over engine/llama, and the choice of a
// context's size for the machine at hand.
package local

import (
	"context"
	"errors"
	"fmt"

	"amend/engine"
	"amend/engine/llama"
)

// Backend is an engine.Backend over one llama.cpp context. Like the context it
// is used by one goroutine at a time.
type Backend struct {
	ctx    *llama.Context
	batch  *llama.Batch
	limits engine.Limits
}

// NewBackend makes a context of the given sizes. Close frees it.
func NewBackend(m *llama.Model, s Size) (*Backend, error) {
	c, err := m.NewContext(llama.ContextParams{
		Ctx: s.Sequences * s.Context, SeqMax: s.Sequences, KVUnified: s.Unified,
		Batch: BatchTokens, UBatch: BatchTokens, OutputsMax: s.Sequences,
		Threads: s.Threads, ThreadsBatch: s.Threads,
		TypeK: s.TypeK, FlashAttn: s.FlashAttn,
		// A sliding window kept at full length can be cut anywhere, so prefix
		// reuse is as exact there as elsewhere.
		SWAFull: true,
	})
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
		cells = room * s.Sequences
	}
	return &Backend{ctx: c, batch: b, limits: engine.Limits{
		Sequences: s.Sequences, Context: min(room, s.Limit), Cells: cells,
		Unified: s.Unified, Uncuttable: m.Recurrent() || m.Hybrid(), Batch: BatchTokens,
	}}, nil
}

// Close frees the context.
func (b *Backend) Close() error { return errors.Join(b.batch.Close(), b.ctx.Close()) }

// Limits implements engine.Backend.
func (b *Backend) Limits() engine.Limits { return b.limits }

// Decode implements engine.Backend (llama_decode).
func (b *Backend) Decode(ctx context.Context, batch []engine.Input) error {
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
// whole, so the copy is cut to length after.
func (b *Backend) Copy(src, dst, n int) bool {
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

// Cut implements engine.Backend (llama_memory_seq_rm).
func (b *Backend) Cut(seq, n int) bool { return b.ctx.SeqRemove(int32(seq), int32(n), -1) }

// Positions implements engine.Backend.
func (b *Backend) Positions(seq int) (first, last int) {
	return int(b.ctx.SeqPosMin(int32(seq))), int(b.ctx.SeqPosMax(int32(seq)))
}
