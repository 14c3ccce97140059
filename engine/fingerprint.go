package engine

import "amend/engine/digest"

// Fingerprint is everything beside the tokens that the numbers in a KV cache,
// and the logits computed over it, depend on, their rounding included. Two
// contexts of one fingerprint can read each other's saved sequences and go on
// as if they had computed them.
type Fingerprint struct {
	Library string   // the build of llama.cpp: its version, and what was changed in it
	Devices []string // what computes: each device's name and hardware, with the features that its kernels use

	Model     string // the weights, with the adapter on them (digest.Model.Weights)
	GPULayers int    // layers that were to go to a GPU
	Repack    bool   // weights are rearranged when they are loaded, which takes other kernels

	TypeK, TypeV   string // of the KV cache
	FlashAttention string // on, off, or auto where llama.cpp decides
	Streams        int    // buffers of the KV cache: one for each sequence, or 1 when they share cells
	Part           int    // tokens of a part, where a pinned prefix lies in parts that others are attached to; else 0
	FullWindow     bool   // layers with a sliding window keep the whole context
	RopeContext    int    // cells of a sequence, where the model's rotary factors depend on them; else 0

	Threads, BatchThreads int // flash attention splits its sums by thread
	Batch, MicroBatch     int // tokens of a prefill chunk, and of what is computed at once
}

// Key is the name under which what was computed for tokens is kept: 64 hex
// digits, the SHA-256 of the fingerprint and the exact token ids. It is the
// one key for every cache of the project. Texts and lists are written with
// their lengths, so that no two different inputs are written alike.
func (f Fingerprint) Key(tokens []Token) string {
	var e digest.Encoder
	e.Text(string(digest.PreambleDomain))

	e.Text(f.Library)
	e.Int(len(f.Devices))
	for _, d := range f.Devices {
		e.Text(d)
	}

	e.Text(f.Model)
	e.Int(f.GPULayers)
	e.Flag(f.Repack)
	e.Int(0) // the layout has a number of adapters here; Model names the adapter

	e.Text(f.TypeK)
	e.Text(f.TypeV)
	e.Text(f.FlashAttention)
	e.Int(f.Streams)
	e.Int(f.Part)
	e.Flag(f.FullWindow)
	e.Int(f.RopeContext)

	e.Int(f.Threads)
	e.Int(f.BatchThreads)
	e.Int(f.Batch)
	e.Int(f.MicroBatch)

	e.Int(len(tokens))
	for _, t := range tokens {
		e.Int(int(t))
	}
	return e.Sum().Hex()
}
