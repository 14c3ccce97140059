package runner

import (
	"errors"

	"amend/engine/llama"
)

// NewContext makes a context of a size, which computes with the model's adapter. The caller closes it.
func (m *Model) NewContext(s ContextPlan) (*Backend, error) {
	b, err := NewBackend(m.model, s)
	if err != nil || m.adapter == nil {
		return b, err
	}
	if err := b.SetAdapter(m.adapter, m.weights.Adapter.Scale); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Exactly is a context of this kind with sizes that are given and not fitted: sequences that each hold tokens. Shared stays,
// as the part of these tokens that sequences read from the preamble.
func (s ContextPlan) Exactly(sequences, tokens int) ContextPlan {
	s.Sequences, s.Limit, s.Own = sequences, tokens, tokens-s.Shared
	s.Part, s.Context = PartCells(s.Shared), StreamCells(s.Own, s.Shared)
	return s
}

// FlashAttention reports whether the context may use flash attention.
func (s ContextPlan) FlashAttention() bool { return s.FlashAttn != llama.FlashOff }

// WithFlashAttention is a context of this kind that uses flash attention, or does not.
func (s ContextPlan) WithFlashAttention(on bool) ContextPlan {
	s.FlashAttn = llama.FlashOff
	if on {
		s.FlashAttn = llama.FlashOn
	}
	return s
}
