package local

import (
	"fmt"

	"amend/engine/llama"
)

// BatchTokens is the most tokens in one llama_decode, and the size of a
// prefill chunk. 512 is llama.cpp's own micro-batch: larger gains nothing on a
// CPU, and a pass can be stopped after each.
const BatchTokens = 512

// outputs is how many tokens of one llama_decode can have logits: one of every
// sequence, and room for guesses. Each takes four bytes a vocabulary entry.
func outputs(sequences int) int { return max(sequences, 128) }

// MaxParallel is the most rows that are run at once without being asked for.
// On a CPU a decode step costs little less for each row beyond it.
const MaxParallel = 16

// Size is the size and kind of a context.
type Size struct {
	Limit     int // the most tokens one row may hold
	Context   int // cells of a sequence: Limit, rounded up as llama.cpp does
	Sequences int // rows alive at once, and one that holds the preamble
	Unified   bool
	Threads   int
	TypeK     llama.KVType
	FlashAttn llama.FlashAttn
}

// Parallel is how many rows can be alive at once.
func (s Size) Parallel() int { return s.Sequences - 1 }

// Demand is what a run asks for; zero values are chosen here.
type Demand struct {
	Context       int // --ctx: the most tokens of a row
	Parallel      int // --parallel
	Need          int // the most tokens that any row can come to hold
	Rows          int
	Trained       int    // the model's own context
	BytesPerToken uint64 // of KV cache, f16
	FreeMemory    uint64 // bytes, after the model's weights
}

// Fit chooses how many tokens a row may hold and how many rows run at once:
// what the rows need, and as many as half the free memory has room for.
func Fit(d Demand) (Size, error) {
	var s Size
	s.Limit = d.Context
	if s.Limit == 0 {
		s.Limit = min(max(d.Need, 1), max(d.Trained, 1))
	}
	s.Context = (s.Limit + 255) / 256 * 256
	perRow := uint64(s.Context) * max(1, d.BytesPerToken)
	room := int(d.FreeMemory/2/perRow) - 1
	parallel := d.Parallel
	if parallel == 0 {
		parallel = max(1, min(MaxParallel, d.Rows, room))
	}
	if most := llama.MaxSequences() - 1; parallel > most {
		return s, fmt.Errorf("--parallel %d: llama.cpp has at most %d sequences in a context, one of them for the preamble", parallel, most+1)
	}
	if need := perRow * uint64(parallel+1); d.FreeMemory > 0 && need > d.FreeMemory {
		return s, fmt.Errorf("the KV cache of %d rows and the preamble of %d tokens each would take %d MiB, and %d MiB are free: lower --parallel or --ctx",
			parallel, s.Context, need>>20, d.FreeMemory>>20)
	}
	s.Sequences = parallel + 1
	return s, nil
}
