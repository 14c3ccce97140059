package runner

import (
	"context"
	"errors"
	"fmt"

	"amend/engine"
	"amend/engine/llama"
	"amend/engine/reward"
)

// States reads a model's hidden states over responses, in a context of its own with one sequence. It is used by one
// goroutine at a time.
type States struct {
	ctx   *llama.Context
	batch *llama.Batch
	held  []engine.Token // what the sequence holds
	size  int

	// Computed and Reused count tokens.
	Computed, Reused int
}

// stateTokens is the most tokens of which states are computed at once: logits are computed beside them.
const stateTokens = 128

// NewStates makes the context, for conversations of up to limit tokens. Keys are cached in f16, so that what is computed does
// not depend on --kv-type. Close frees it.
func NewStates(m *llama.Model, limit int, kind ContextPlan) (*States, error) {
	c, err := m.NewContext(llama.ContextParams{
		Ctx: padded(limit), SeqMax: 1, Batch: BatchTokens, UBatch: BatchTokens, OutputsMax: stateTokens,
		Threads: kind.Threads, ThreadsBatch: kind.Threads, FlashAttn: kind.FlashAttn, SWAFull: true,
	})
	if err != nil {
		return nil, err
	}
	b, err := llama.NewBatch(BatchTokens, 1)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &States{ctx: c, batch: b, size: m.EmbdOut()}, nil
}

// Close frees the context.
func (s *States) Close() error { return errors.Join(s.batch.Close(), s.ctx.Close()) }

// Of returns the hidden states of tokens from position from on, pooled (llama_get_embeddings_ith, unpooled there: llama.cpp
// pools by micro-batch). What tokens have in common with the last call's is not computed again.
func (s *States) Of(ctx context.Context, tokens []engine.Token, from int) (reward.Features, error) {
	var f reward.Features
	if from < 1 || from >= len(tokens) {
		return f, fmt.Errorf("states of a response at %d of %d tokens: there must be a prompt and a response", from, len(tokens))
	}
	if room := s.ctx.NCtxSeq(); len(tokens) > room {
		return f, fmt.Errorf("a conversation with its response has %d tokens, and there is room for %d: raise ctx", len(tokens), room)
	}
	shared := 0
	for shared < min(len(s.held), from) && s.held[shared] == tokens[shared] {
		shared++
	}
	if !s.ctx.SeqRemove(0, int32(shared), -1) {
		s.ctx.SeqRemove(0, -1, -1) // states of recurrent models cannot be cut
		shared = 0
	}
	s.held = s.held[:shared]
	s.Reused += shared
	if err := s.decode(ctx, tokens, shared, from, nil); err != nil {
		return f, err
	}
	sum := make([]float64, s.size)
	if err := s.decode(ctx, tokens, from, len(tokens), func(state []float32) {
		for i, v := range state {
			sum[i] += float64(v)
		}
		f.Last = append(f.Last[:0], state...)
	}); err != nil {
		return f, err
	}
	f.Mean, f.Tokens = make([]float32, s.size), len(tokens)-from
	for i, v := range sum {
		f.Mean[i] = float32(v / float64(len(tokens)-from))
	}
	return f, nil
}

// decode computes a part of the tokens. take, where it is not nil, gets each one's state.
func (s *States) decode(ctx context.Context, tokens []engine.Token, from, to int, take func(state []float32)) error {
	most := BatchTokens
	if take != nil {
		most = stateTokens
	}
	if err := s.ctx.SetEmbeddings(take != nil); err != nil {
		return err
	}
	for at := from; at < to; at = min(at+most, to) {
		end := min(at+most, to)
		s.batch.Clear()
		for pos := at; pos < end; pos++ {
			if err := s.batch.Add(tokens[pos], int32(pos), take != nil, 0); err != nil {
				return err
			}
		}
		if err := s.ctx.Decode(ctx, s.batch); err != nil {
			s.held = nil
			s.ctx.SeqRemove(0, -1, -1)
			return fmt.Errorf("computing hidden states of tokens %d to %d: %w", at, end, err)
		}
		s.held = append(s.held, tokens[at:end]...)
		s.Computed += end - at
		for i := range end - at {
			if take == nil {
				break
			}
			state, err := s.ctx.Embedding(i)
			if err != nil {
				return err
			}
			take(state)
		}
	}
	return nil
}
