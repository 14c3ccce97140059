package runner

import (
	"fmt"
	"strings"

	"amend/engine"
	"amend/engine/llama"
)

// Fingerprint is what the numbers in this context's KV cache depend on. weights names the model by its SHA-256 and the
// adapter that is set. loaded is how the model was loaded.
func (b *Backend) Fingerprint(weights string, loaded llama.ModelParams) (engine.Fingerprint, error) {
	devices, err := deviceNames()
	if err != nil {
		return engine.Fingerprint{}, err
	}
	single, batch := b.ctx.Threads()
	streams := b.ctx.NSeqMax()
	if b.limits.Unified {
		streams = 1
	}
	return engine.Fingerprint{
		Library: llama.Version(), Devices: devices,
		Model: weights, GPULayers: loaded.GPULayers, Repack: !loaded.NoRepack,
		TypeK: b.params.TypeK.String(), TypeV: b.params.TypeV.String(),
		FlashAttention: flashName(b.params.FlashAttn),
		Streams:        streams, Part: b.preamble.part, FullWindow: b.params.SWAFull, RopeContext: b.ropeContext(),
		Threads: single, BatchThreads: batch,
		Batch: b.ctx.NBatch(), MicroBatch: b.ctx.NUBatch(),
	}, nil
}

func flashName(f llama.FlashAttn) string {
	switch f {
	case llama.FlashOff:
		return "off"
	case llama.FlashOn:
		return "on"
	default:
		return "auto"
	}
}

// ropeContext is the cells of a sequence where rotary factors depend on them:
// llama.cpp takes a model's long ones in a context beyond its original length.
func (b *Backend) ropeContext() int {
	if !ropeByContext(b.ctx.Model()) {
		return 0
	}
	return b.ctx.NCtxSeq()
}

func ropeByContext(m *llama.Model) bool {
	arch, _ := m.Meta("general.architecture")
	_, ok := m.Meta(arch + ".rope.scaling.original_context_length")
	return ok
}

// deviceNames is each device with its hardware and the features of its backend.
func deviceNames() ([]string, error) {
	devices, err := llama.Devices()
	if err != nil {
		return nil, fmt.Errorf("listing the devices: %w", err)
	}
	names := make([]string, len(devices))
	for i, d := range devices {
		parts := []string{d.Name, string(d.Type), d.Backend, strings.TrimSpace(d.Description)}
		for _, f := range d.Features {
			parts = append(parts, f.Name+"="+f.Value)
		}
		names[i] = strings.Join(parts, " ")
	}
	return names, nil
}
