package llama

// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

// FlashAttn says when a context uses flash attention (llama_flash_attn_type).
type FlashAttn int

// The choices; FlashAuto lets llama.cpp find out whether the backend has it.
const (
	FlashAuto FlashAttn = iota
	FlashOff
	FlashOn
)

// KVType is the type of the numbers in the KV cache.
type KVType int

// The types that llama.cpp's attention can read.
const (
	KVF16 KVType = iota
	KVF32
	KVBF16
	KVQ8_0
	KVQ5_1
	KVQ5_0
	KVQ4_1
	KVQ4_0
	KVIQ4_NL
)

// kvTypes is the KVTypes' names and what they are in ggml.
var kvTypes = [...]struct {
	name string
	c    C.enum_ggml_type
}{
	KVF16:    {"f16", C.GGML_TYPE_F16},
	KVF32:    {"f32", C.GGML_TYPE_F32},
	KVBF16:   {"bf16", C.GGML_TYPE_BF16},
	KVQ8_0:   {"q8_0", C.GGML_TYPE_Q8_0},
	KVQ5_1:   {"q5_1", C.GGML_TYPE_Q5_1},
	KVQ5_0:   {"q5_0", C.GGML_TYPE_Q5_0},
	KVQ4_1:   {"q4_1", C.GGML_TYPE_Q4_1},
	KVQ4_0:   {"q4_0", C.GGML_TYPE_Q4_0},
	KVIQ4_NL: {"iq4_nl", C.GGML_TYPE_IQ4_NL},
}

// String is the type's name, as ParseKVType reads it.
func (t KVType) String() string {
	if !t.known() {
		return fmt.Sprintf("KV type %d", int(t))
	}
	return kvTypes[t].name
}

// Bytes is what n numbers of this type take (ggml_row_size), where n is a
// multiple of the type's blocks.
func (t KVType) Bytes(n uint64) uint64 {
	if !t.known() {
		return 0
	}
	return uint64(C.ggml_row_size(kvTypes[t].c, C.int64_t(n)))
}

func (t KVType) known() bool { return t >= 0 && int(t) < len(kvTypes) }

// ParseKVType finds a KV cache type by its name, such as "q8_0".
func ParseKVType(name string) (KVType, error) {
	names := make([]string, len(kvTypes))
	for i, t := range kvTypes {
		if strings.EqualFold(t.name, name) {
			return KVType(i), nil
		}
		names[i] = t.name
	}
	return 0, fmt.Errorf("llama: unknown KV cache type %q; there are %s", name, strings.Join(names, ", "))
}

// ContextParams says how to make a context. What is zero takes the default
// named; the context's methods report the values in use.
type ContextParams struct {
	// Ctx is the number of KV cells, of all sequences together; 0 is the
	// model's training context.
	Ctx int
	// Batch is the most tokens in one Decode (0: 2048); UBatch is the most that
	// are computed at once (0: 512).
	Batch, UBatch int
	// SeqMax is the number of sequences (0: 1), at most MaxSequences.
	SeqMax int
	// Threads computes single tokens, ThreadsBatch more than one; 0 is one
	// thread for each CPU that the process may use (GOMAXPROCS).
	Threads, ThreadsBatch int
	// KVUnified keeps all sequences in one buffer, where copying part of a
	// sequence is free; else each has a stream of Ctx/SeqMax cells.
	KVUnified bool
	// TypeK and TypeV are the types of the KV cache.
	TypeK, TypeV KVType
	// FlashAttn says when to use flash attention. A quantized V needs it.
	FlashAttn FlashAttn
	// Embeddings makes every token's hidden state an output, unpooled.
	Embeddings bool
	// SWAFull keeps the whole context for layers with a sliding window, so that
	// their sequences can be cut anywhere.
	SWAFull bool
	// RecurrentSnapshots is how many positions a sequence of a recurrent model
	// can be rolled back (n_rs_seq).
	RecurrentSnapshots int
	// OutputsMax is the most outputs wanted in one Decode (0: Batch). A small
	// number saves memory: one output takes four bytes per vocabulary entry.
	OutputsMax int
	// NoOffloadKV keeps the KV cache in main memory when layers are on a GPU.
	NoOffloadKV bool
}

// maxThreads is ggml's limit (GGML_MAX_N_THREADS), beyond which it aborts.
const maxThreads = C.GGML_MAX_N_THREADS

// check refuses values that C would misread or answer with an abort.
func (p ContextParams) check(m *Model) error {
	for _, n := range []struct {
		name      string
		value, hi int
	}{
		{"context", p.Ctx, 1 << 30},
		{"batch", p.Batch, maxBatchTokens},
		{"micro-batch", p.UBatch, maxBatchTokens},
		{"number of sequences", p.SeqMax, MaxSequences()},
		{"number of threads", p.Threads, maxThreads},
		{"number of batch threads", p.ThreadsBatch, maxThreads},
		{"number of recurrent snapshots", p.RecurrentSnapshots, 1 << 16},
		{"number of outputs", p.OutputsMax, maxBatchTokens},
	} {
		if n.value < 0 || n.value > n.hi {
			return fmt.Errorf("%s is %d, and must be from 0 to %d", n.name, n.value, n.hi)
		}
	}
	if p.FlashAttn < FlashAuto || p.FlashAttn > FlashOn {
		return fmt.Errorf("flash attention choice %d is not one", p.FlashAttn)
	}
	for _, kv := range []struct {
		which string
		t     KVType
	}{{"key", p.TypeK}, {"value", p.TypeV}} {
		if err := m.caches(kv.which, kv.t); err != nil {
			return err
		}
	}
	return p.fits(m)
}

// CachesKeys returns an error with figures where keys cannot be cached in a type:
// its blocks must divide a head's width.
func (m *Model) CachesKeys(t KVType) error { return m.caches("key", t) }

// caches is CachesKeys for keys or values. llama.cpp asks with flash attention
// only; without it, products leave out a head's last part of a block.
func (m *Model) caches(which string, t KVType) error {
	if !t.known() {
		return fmt.Errorf("%v is not one", t)
	}
	if width := m.headDim(which); !t.Fits(width) {
		return fmt.Errorf("KV cache type %v needs heads of a multiple of %d numbers, and the model's have %d for each %s; use f16", t, t.block(), width, which)
	}
	return nil
}

// Fits reports whether heads of a width can be cached in this type: its blocks must divide it.
func (t KVType) Fits(width int) bool { return t.known() && width%t.block() == 0 }

// block is how many numbers a block of this type has.
func (t KVType) block() int { return int(C.ggml_blck_size(kvTypes[t].c)) }

// fits refuses a KV cache larger than the machine's memory: Linux would grant it
// and kill the process when it is filled. A GPU's memory is refused by its
// backend, and models with a window or a state need less than KVBytes says.
func (p ContextParams) fits(m *Model) error {
	onGPU := m.gpuLayers != 0 && !p.NoOffloadKV && SupportsGPUOffload()
	if onGPU || m.Recurrent() || m.Hybrid() || (m.SWA() > 0 && !p.SWAFull) {
		return nil
	}
	devices, err := Devices()
	if err != nil {
		return err
	}
	cells := p.Ctx
	if cells == 0 {
		cells = m.CtxTrain()
	}
	need := m.KVBytes(cells, p.TypeK, p.TypeV)
	for _, d := range devices {
		if d.Type == DeviceCPU && d.MemoryTotal > 0 && need > d.MemoryTotal {
			return fmt.Errorf("the KV cache of %d cells (%v keys, %v values) takes %d MiB and the machine has %d MiB; use a smaller context or KV type",
				cells, p.TypeK, p.TypeV, need>>20, d.MemoryTotal>>20)
		}
	}
	return nil
}

// KVBytes is what the KV cache of that many cells takes, in bytes, for a model
// with full attention in every layer.
func (m *Model) KVBytes(cells int, k, v KVType) uint64 {
	if !k.known() || !v.known() || cells < 0 {
		return 0
	}
	row := func(which string, t KVType) uint64 {
		block := int(C.ggml_blck_size(kvTypes[t].c))
		blocks := (m.headDim(which)*m.HeadsKV() + block - 1) / block
		return uint64(blocks) * uint64(C.ggml_type_size(kvTypes[t].c))
	}
	return uint64(cells) * uint64(m.Layers()) * (row("key", k) + row("value", v))
}

// headDim is the width of a "key" or "value" head.
func (m *Model) headDim(which string) int {
	arch, _ := m.Meta("general.architecture")
	if s, ok := m.Meta(arch + ".attention." + which + "_length"); ok {
		if n, err := strconv.Atoi(s); err == nil {
			return n
		}
	}
	return m.Embd() / max(1, m.Heads())
}

// c is p in C.
func (p ContextParams) c() C.struct_llama_context_params {
	c := C.llama_context_default_params()
	c.n_ctx = C.uint32_t(p.Ctx)
	if p.Batch > 0 {
		c.n_batch = C.uint32_t(p.Batch)
	}
	if p.UBatch > 0 {
		c.n_ubatch = C.uint32_t(p.UBatch)
	}
	c.n_seq_max = C.uint32_t(max(1, p.SeqMax))
	c.n_rs_seq = C.uint32_t(p.RecurrentSnapshots)
	c.n_outputs_max = C.uint32_t(p.OutputsMax)
	c.n_threads = threads(p.Threads)
	c.n_threads_batch = threads(p.ThreadsBatch)
	switch p.FlashAttn {
	case FlashOff:
		c.flash_attn_type = C.LLAMA_FLASH_ATTN_TYPE_DISABLED
	case FlashOn:
		c.flash_attn_type = C.LLAMA_FLASH_ATTN_TYPE_ENABLED
	default:
		c.flash_attn_type = C.LLAMA_FLASH_ATTN_TYPE_AUTO
	}
	c.type_k = kvTypes[p.TypeK].c
	c.type_v = kvTypes[p.TypeV].c
	c.embeddings = C.bool(p.Embeddings)
	if p.Embeddings {
		c.pooling_type = C.LLAMA_POOLING_TYPE_NONE
	}
	c.swa_full = C.bool(p.SWAFull)
	c.kv_unified = C.bool(p.KVUnified)
	c.offload_kqv = C.bool(!p.NoOffloadKV)
	return c
}

func threads(n int) C.int32_t {
	if n == 0 {
		n = min(runtime.GOMAXPROCS(0), maxThreads) // heeds a CPU quota, as NumCPU does not
	}
	return C.int32_t(n)
}
