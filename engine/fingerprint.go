package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
)

// Fingerprint is everything beside the tokens that the numbers in a KV cache,
// and the logits computed over it, depend on, their rounding included. Two
// contexts of one fingerprint can read each other's saved sequences and go on
// as if they had computed them.
type Fingerprint struct {
	Library string   // the build of llama.cpp: its version, and what was changed in it
	Devices []string // what computes: each device's name and hardware, with the features that its kernels use

	Model     string // SHA-256 of the GGUF file
	GPULayers int    // layers that were to go to a GPU
	Repack    bool   // weights are rearranged when they are loaded, which takes other kernels
	Adapters  []AdapterScale

	TypeK, TypeV   string // of the KV cache
	FlashAttention string // on, off, or auto where llama.cpp decides
	Streams        int    // buffers of the KV cache: one for each sequence, or 1 when they share cells
	Part           int    // tokens of a part, where a pinned prefix lies in parts that others are attached to; else 0
	FullWindow     bool   // layers with a sliding window keep the whole context
	RopeContext    int    // cells of a sequence, where the model's rotary factors depend on them; else 0

	Threads, BatchThreads int // flash attention splits its sums by thread
	Batch, MicroBatch     int // tokens of a prefill chunk, and of what is computed at once
}

// AdapterScale is a LoRA adapter with the scale it is set to.
type AdapterScale struct {
	SHA256 string // of the adapter's file
	Scale  float32
}

// keyDomain names the encoding that Key hashes. It changes with the encoding,
// and with what the project takes a fingerprint to mean.
const keyDomain = "amend KV key 2"

// Key is the name under which what was computed for tokens is kept: 64 hex
// digits, the SHA-256 of the fingerprint and the exact token ids. It is the
// one key for every cache of the project. Texts and lists are written with
// their lengths, so that no two different inputs are written alike.
func (f Fingerprint) Key(tokens []Token) string {
	k := keyHash{sha256.New()}
	k.text(keyDomain)

	k.text(f.Library)
	k.number(len(f.Devices))
	for _, d := range f.Devices {
		k.text(d)
	}

	k.text(f.Model)
	k.number(f.GPULayers)
	k.flag(f.Repack)
	k.number(len(f.Adapters))
	for _, a := range f.Adapters {
		k.text(a.SHA256)
		k.number(int(math.Float32bits(a.Scale)))
	}

	k.text(f.TypeK)
	k.text(f.TypeV)
	k.text(f.FlashAttention)
	k.number(f.Streams)
	k.number(f.Part)
	k.flag(f.FullWindow)
	k.number(f.RopeContext)

	k.number(f.Threads)
	k.number(f.BatchThreads)
	k.number(f.Batch)
	k.number(f.MicroBatch)

	k.number(len(tokens))
	for _, t := range tokens {
		k.number(int(t))
	}
	return hex.EncodeToString(k.Sum(nil))
}

// keyHash writes values so that each can be told from the next. A hash's
// Write returns no error.
type keyHash struct{ hash.Hash }

func (k keyHash) number(n int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	k.Write(b[:])
}

func (k keyHash) text(s string) {
	k.number(len(s))
	k.Write([]byte(s))
}

func (k keyHash) flag(on bool) {
	n := 0
	if on {
		n = 1
	}
	k.number(n)
}
