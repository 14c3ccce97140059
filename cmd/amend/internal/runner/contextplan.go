package runner

import (
	"fmt"
	"strings"

	"amend/cmd/amend/internal/failure"
	"amend/engine"
	"amend/engine/llama"
	"amend/models"
)

// BatchTokens is the most tokens in one llama_decode, and the size of a
// prefill chunk. 512 is llama.cpp's own micro-batch: larger gains nothing on a
// CPU, and a pass can be stopped after each.
const BatchTokens = 512

// outputs is how many tokens of one llama_decode can have logits: one of every
// sequence, and room for the most drafted tokens as far as 64 MiB of logits go, which
// take four bytes a vocabulary entry; 128 in any case.
func outputs(sequences, vocabulary int) int {
	const logits = 64 << 20
	guesses := sequences * engine.MaxDrafted
	return min(BatchTokens, sequences+max(128, min(guesses, logits/(4*max(1, vocabulary)))))
}

// MaxParallel is the most rows that are run at once without being asked for.
// On a CPU a decode step costs little less for each row beyond it.
const MaxParallel = 16

// Layout says how sequences lie in the KV cache.
type Layout string

// The layouts, as --kv has them. Auto takes streams, the faster one on a CPU at
// every size that was measured, unless shared cells let at least twice as many
// rows run in the memory there is.
const (
	Auto    Layout = "auto"
	Streams Layout = "streams" // a buffer for each sequence
	Unified Layout = "unified" // cells for all; the preamble lies there once
)

// Layouts are the values of --kv.
func Layouts() []Layout { return []Layout{Auto, Streams, Unified} }

// KVAuto chooses the type of cached keys. Where weights are quantized and layers
// run on a CPU it is q8_0: steps are faster, most of one being attention over
// keys and values, and log-probs are as near to an independent implementation's
// as with f16 (TestReferenceQuantized in engine/llama). Else it is f16.
const KVAuto = "auto"

// KVTypes are the values of --kv-type.
func KVTypes() []string { return []string{KVAuto, "f16", "q8_0"} }

// ChooseKVType is the type of a model's cached keys for --kv-type. quantization
// is the model's, as models.Info has it. A type that the model's heads do not
// fit is an error, and never chosen.
func ChooseKVType(flag, quantization string, m *llama.Model, gpuLayers int) (llama.KVType, error) {
	t, err := wantedKVType(flag, quantization, gpuLayers)
	if err != nil {
		return t, err
	}
	unfit := m.CachesKeys(t)
	if unfit != nil && flag == KVAuto {
		return llama.KVF16, nil
	}
	return t, unfit
}

// FileKVType is ChooseKVType by what a model's file says, without loading it.
func FileKVType(flag string, info models.Info, gpuLayers int) (llama.KVType, error) {
	t, err := wantedKVType(flag, info.Quantization, gpuLayers)
	if err == nil && flag == KVAuto && !t.Fits(int(info.HeadDim)) {
		return llama.KVF16, nil
	}
	return t, err
}

// wantedKVType is what ChooseKVType returns for a model whose heads fit any type.
func wantedKVType(flag, quantization string, gpuLayers int) (llama.KVType, error) {
	if flag != KVAuto {
		return llama.ParseKVType(flag)
	}
	gpu, err := UsesGPU(gpuLayers)
	if err != nil {
		return llama.KVF16, err
	}
	if float := strings.HasPrefix(quantization, "F") || strings.HasPrefix(quantization, "BF"); gpu || float {
		return llama.KVF16, nil
	}
	return llama.KVQ8_0, nil
}

// CellBytes is what the keys and values of one token take, in all layers.
func CellBytes(info models.Info, keys llama.KVType) uint64 {
	return info.KVBytesPerToken - llama.KVF16.Bytes(info.KeysPerToken) + keys.Bytes(info.KeysPerToken)
}

// ContextPlan is the size and kind of a context.
type ContextPlan struct {
	Limit     int // the most tokens one row may hold
	Own       int // of these, the most that lie in cells of its own; 0, or Limit: all of them
	Context   int // cells of a sequence: Own, rounded up as llama.cpp does
	Shared    int // tokens of a preamble that rows read without holding them; 0 where they hold copies
	Part      int // of these, in one stream (PartCells)
	PerRow    int // sequences of a row; 0 is one
	Preambles int // sequences that each hold one; 0 is one
	Sequences int // of all rows alive at once, and of the preambles
	Cells     int // of all sequences together; 0 is as many as all can fill
	Unified   bool
	Threads   int
	TypeK     llama.KVType
	FlashAttn llama.FlashAttn
}

// Parallel is how many rows can be alive at once.
func (s ContextPlan) Parallel() int { return (s.Sequences - max(1, s.Preambles)) / max(1, s.PerRow) }

// Bytes is what the keys and values of all cells take.
func (s ContextPlan) Bytes(info models.Info) uint64 {
	return uint64(s.cells()) * CellBytes(info, s.TypeK)
}

// sequences is how many a number of rows and the preambles take.
func (s ContextPlan) sequences(rows int) int { return rows*max(1, s.PerRow) + max(1, s.Preambles) }

// streams is how many sequences llama.cpp has: those of the engine, the last of
// which is as many as the preamble fills.
func (s ContextPlan) streams() int {
	return s.Sequences - 1 + max(1, newPreamble(s).parts(s.Shared))
}

func (s ContextPlan) cells() int {
	if s.Cells == 0 {
		return s.streams() * s.Context
	}
	return s.Cells
}

// Requirements is what a run asks for; zero values are chosen here.
type Requirements struct {
	Context       int // --ctx: the most tokens of a row
	Parallel      int // --parallel
	Layout        Layout
	Need          int // the most tokens that any row can come to hold
	Preamble      int // of these, shared by all rows
	Unshared      int // the most tokens of a sequence that does not begin with the preamble
	PerRow        int // sequences that a row fills; 0 is one
	Preambles     int // the one of Preamble tokens, and others that fit where a row does; 0 is one
	AttachFrom    int // shortest preamble that rows read without holding it (WorthAttaching); 0 where they cannot (WhyCopied)
	Rows          int
	Trained       int    // the model's own context
	BytesPerToken uint64 // of KV cache, f16
	FreeMemory    uint64 // bytes, after the model's weights; 0 when it is not known
}

// Plan chooses how many tokens a row may hold, how many rows run at once and in
// which layout: what the rows need, and as many as half the free memory has
// room for.
func Plan(d Requirements) (ContextPlan, error) {
	s := ContextPlan{Limit: d.Context, PerRow: d.PerRow, Preambles: d.Preambles}
	if s.Limit == 0 {
		s.Limit = min(max(d.Need, 1), max(d.Trained, 1))
	}
	if d.AttachFrom > 0 && d.Layout != Unified && d.Preamble >= d.AttachFrom && d.Preamble < s.Limit {
		s.Shared, s.Part = d.Preamble, PartCells(d.Preamble)
	}
	s.Own = max(s.Limit-s.Shared, min(s.Limit, d.Unshared))
	s.Context = StreamCells(s.Own, s.Shared)
	parallel := d.Parallel
	wanted := parallel
	if wanted == 0 {
		wanted = max(1, min(MaxParallel, d.Rows))
	}
	s.Unified = d.Layout == Unified || (d.Layout == Auto && s.Shared == 0 && d.prefersUnified(s, wanted))
	if parallel == 0 {
		parallel = max(1, min(wanted, d.room(s)))
	}
	s.Sequences = s.sequences(parallel)
	if most := llama.MaxSequences(); s.Sequences > most {
		return s, &failure.FieldError{Field: "parallel", Value: parallel, Want: fmt.Sprintf("llama.cpp has at most %d sequences in a context, and these would be %d, with those of preambles", most, s.Sequences)}
	}
	s.Cells = d.cells(s, parallel)
	if need := d.bytes(s.Cells); d.FreeMemory > 0 && need > d.FreeMemory {
		return s, fmt.Errorf("the KV cache of %d rows of %d tokens and a preamble would take %d MiB, and %d MiB are free: lower parallel or ctx",
			parallel, s.Context, need>>20, d.FreeMemory>>20)
	}
	return s, nil
}

// WorthAttaching is the shortest preamble that rows read in common: about where
// it paid on two cores, whatever the number of rows (docs/benchmarks.md). It is a
// constant, since attached rows differ from copied ones in the last bits.
const WorthAttaching = 128

// StreamCells is the size of a stream for rows that fill own cells each and
// share some tokens of a preamble, of which a part has to fit.
func StreamCells(own, shared int) int { return max(padded(own), PartCells(shared)) }

func padded(cells int) int { return (cells + 255) / 256 * 256 }

// cells is what a number of rows and the preamble take. Shared cells hold the
// preamble once; one row that does not begin with it must fit beside it.
func (d Requirements) cells(s ContextPlan, parallel int) int {
	s.Sequences = s.sequences(parallel)
	if !s.Unified {
		return s.Context * s.streams()
	}
	shared, others := min(d.Preamble, s.Limit), max(1, s.Preambles)-1
	return padded(shared + others*s.Limit + max(parallel*max(1, s.PerRow)*(s.Limit-shared), min(s.Limit, d.Unshared)))
}

func (d Requirements) bytes(cells int) uint64 { return uint64(cells) * max(1, d.BytesPerToken) }

// room is how many rows half the free memory holds.
func (d Requirements) room(s ContextPlan) int {
	rows := 0
	for rows < MaxParallel && d.bytes(d.cells(s, rows+1)) <= d.FreeMemory/2 {
		rows++
	}
	return rows
}

func (d Requirements) prefersUnified(s ContextPlan, wanted int) bool {
	if d.FreeMemory == 0 {
		return false
	}
	s.Unified = false
	streams := max(1, d.room(s))
	s.Unified = true
	return streams < wanted && min(wanted, d.room(s)) >= 2*streams
}
