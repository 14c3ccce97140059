package llama

// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// maxBatchTokens bounds NewBatch; llama_batch_init does not check its mallocs.
const maxBatchTokens = 1 << 20

// Batch is the input of one Decode (llama_batch): tokens, each with its
// position, its sequences, and whether its output is wanted.
//
// It is used by one goroutine at a time.
type Batch struct {
	c       C.struct_llama_batch
	cap     int
	maxSeqs int
	opened  *opened
	cleanup runtime.Cleanup

	// Views of the C arrays, cap long.
	token  []C.llama_token
	pos    []C.llama_pos
	nSeq   []C.int32_t
	seq    []*C.llama_seq_id
	output []C.int8_t

	highest int32 // highest sequence id added
	shared  bool  // a token was added to more than one sequence
	outputs int   // tokens whose output is wanted
}

// NewBatch returns an empty batch for up to capTokens tokens, each in up to
// maxSeqPerToken sequences (llama_batch_init).
func NewBatch(capTokens, maxSeqPerToken int) (*Batch, error) {
	if capTokens < 1 || capTokens > maxBatchTokens {
		return nil, fmt.Errorf("llama: new batch of %d tokens: the size must be from 1 to %d", capTokens, maxBatchTokens)
	}
	if maxSeqPerToken < 1 || maxSeqPerToken > MaxSequences() {
		return nil, fmt.Errorf("llama: new batch with %d sequences a token: the number must be from 1 to %d", maxSeqPerToken, MaxSequences())
	}
	c := C.llama_batch_init(C.int32_t(capTokens), 0, C.int32_t(maxSeqPerToken))
	b := &Batch{
		c: c, cap: capTokens, maxSeqs: maxSeqPerToken, highest: -1,
		token:  unsafe.Slice(c.token, capTokens),
		pos:    unsafe.Slice(c.pos, capTokens),
		nSeq:   unsafe.Slice(c.n_seq_id, capTokens),
		seq:    unsafe.Slice(c.seq_id, capTokens),
		output: unsafe.Slice(c.logits, capTokens),
	}
	b.opened = newOpened(fmt.Sprintf("batch of %d tokens", capTokens))
	b.cleanup = reportLeak(b, b.opened)
	return b, nil
}

// Add appends a token at position pos of the sequences seqs. With logits its
// output is kept: Context.Logits takes the index of the token in the batch,
// which is Len before the call. On an error the batch is unchanged; it wraps
// ErrBatchFull when the batch is full.
func (b *Batch) Add(tok Token, pos int32, logits bool, seqs ...int32) error {
	switch {
	case b.token == nil:
		return fmt.Errorf("llama: add to batch: %w", ErrClosed)
	case b.Len() == b.cap:
		return fmt.Errorf("llama: add to batch of %d tokens: %w", b.cap, ErrBatchFull)
	case pos < 0:
		return fmt.Errorf("llama: add to batch: position %d is negative", pos)
	case len(seqs) < 1 || len(seqs) > b.maxSeqs:
		return fmt.Errorf("llama: add to batch: %d sequences for a token, which can be in 1 to %d", len(seqs), b.maxSeqs)
	}
	for i, s := range seqs {
		if s < 0 || int(s) >= MaxSequences() {
			return fmt.Errorf("llama: add to batch: sequence %d is not in 0 to %d", s, MaxSequences()-1)
		}
		for _, t := range seqs[:i] {
			if s == t {
				return fmt.Errorf("llama: add to batch: sequence %d is named twice", s)
			}
		}
	}
	i := b.Len()
	b.token[i] = C.llama_token(tok)
	b.pos[i] = C.llama_pos(pos)
	b.nSeq[i] = C.int32_t(len(seqs))
	ids := unsafe.Slice(b.seq[i], b.maxSeqs)
	for j, s := range seqs {
		ids[j] = C.llama_seq_id(s)
		b.highest = max(b.highest, s)
	}
	b.shared = b.shared || len(seqs) > 1
	b.output[i] = 0
	if logits {
		b.output[i] = 1
		b.outputs++
	}
	b.c.n_tokens++
	return nil
}

// Clear empties the batch. The outputs of a Decode stay readable.
func (b *Batch) Clear() {
	b.c.n_tokens = 0
	b.highest, b.shared, b.outputs = -1, false, 0
}

// Len is the number of tokens in the batch.
func (b *Batch) Len() int { return int(b.c.n_tokens) }

// Close frees the batch (llama_batch_free). Closing a closed batch does nothing.
func (b *Batch) Close() error {
	if b.token == nil {
		return nil
	}
	b.cleanup.Stop()
	C.llama_batch_free(b.c)
	b.c = C.struct_llama_batch{}
	b.token, b.pos, b.nSeq, b.seq, b.output = nil, nil, nil, nil, nil
	b.cap = 0
	return nil
}
