package engine

import (
	"testing"

	"amend/engine/enginetest/golden"
)

// TestGoldenFingerprint pins the names of saved preambles.
func TestGoldenFingerprint(t *testing.T) {
	f := Fingerprint{
		Library: "0.5.0", Devices: []string{"CPU, avx2", "GPU"}, Model: "a model", GPULayers: -1, Repack: true,
		TypeK: "q8_0", TypeV: "f16", FlashAttention: "off",
		Streams: 4, Part: 512, FullWindow: true, RopeContext: 4096, Threads: 2, BatchThreads: 3, Batch: 512, MicroBatch: 256,
	}
	golden.Check(t, "fingerprint", []string{
		"whole: " + f.Key([]Token{1, 2, 70000, -1}),
		"zero: " + Fingerprint{}.Key(nil),
	})
}
