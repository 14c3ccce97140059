package runner

import (
	"runtime"

	"amend/cmd/amend/internal/failure"
)

// Kind is how a context of the model computes, without its sizes.
func (m *Model) Kind(c ContextConfig) (k ContextPlan, err error) {
	k.Unified = c.KV == Unified
	if m.compute.Deterministic && k.Unified {
		return k, &failure.FieldError{Field: "kv", Value: string(c.KV), Want: "deterministic excludes it: with shared cells a sum's order depends on what lies beside a row"}
	}
	if k.Threads = m.compute.Threads; k.Threads == 0 {
		k.Threads = runtime.GOMAXPROCS(0)
	}
	if k.TypeK, err = ChooseKVType(c.KVType, m.info.Quantization, m.model, m.compute.GPULayers); err != nil {
		return k, failure.Input(err)
	}
	k.FlashAttn, err = FlashAttention(m.compute.GPULayers)
	return k, err
}

// Requirements is what any work on the model asks of a context. The caller adds what its rows need.
func (m *Model) Requirements(c ContextConfig) (d Requirements, err error) {
	d = Requirements{
		Context: m.compute.Context, Parallel: c.Parallel, Layout: c.KV,
		Trained: m.model.CtxTrain(), BytesPerToken: m.info.KVBytesPerToken,
	}
	if d.Layout == Auto && (m.compute.Deterministic || m.model.SWA() > 0) {
		d.Layout = Streams // shared cells round otherwise, and windows lose them
	}
	d.FreeMemory, err = FreeMemory(m.info.SizeBytes, m.compute.GPULayers)
	return d, err
}

// AttachFrom is the shortest preamble that rows read without holding it; 0 where they cannot. Deterministic contexts do not: what is shared and what is a row's own are summed apart.
func (m *Model) AttachFrom(kind ContextPlan) (int, error) {
	if m.compute.Deterministic {
		return 0, nil
	}
	why, err := WhyCopied(m.model, kind)
	if err != nil || why != "" {
		return 0, err
	}
	return WorthAttaching, nil
}

// Plan chooses the sizes of a context of this kind.
func (m *Model) Plan(d Requirements, kind ContextPlan) (ContextPlan, error) {
	s, err := Plan(d)
	if err != nil {
		return s, failure.Input(err)
	}
	s.TypeK, s.FlashAttn, s.Threads = kind.TypeK, kind.FlashAttn, kind.Threads
	return s, nil
}

// Layout names the layout of the KV cache.
func (s ContextPlan) Layout() Layout {
	if s.Unified {
		return Unified
	}
	return Streams
}
