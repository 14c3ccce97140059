package llama

// #include "shim.h"
import "C"

import "fmt"

// streams reports that sequences have separate KV streams.
func (c *Context) streams() bool { return !c.params.KVUnified && c.NSeqMax() > 1 }

func (c *Context) has(seq int32) bool { return c.c != nil && seq >= 0 && int(seq) < c.NSeqMax() }

// check refuses what all sequence operations refuse: a closed context, and ids
// that llama.cpp would abort for or take for another sequence.
func (c *Context) check(doing string, seqs ...int32) error {
	if c.c == nil {
		return c.closed(doing)
	}
	for _, s := range seqs {
		if !c.has(s) {
			return fmt.Errorf("llama: %s: sequence %d is not in 0 to %d", doing, s, c.NSeqMax()-1)
		}
	}
	return nil
}

// SeqRemove removes a sequence's tokens at positions p0 to p1-1
// (llama_memory_seq_rm); a negative p0 is 0, a negative p1 is the end. It
// reports whether it could: recurrent models cannot be cut in the middle, and a
// sequence that the context does not have cannot be removed. A whole sequence
// always can, unless others are attached to it.
func (c *Context) SeqRemove(seq, p0, p1 int32) bool {
	if !c.has(seq) {
		return false
	}
	return bool(C.llama_memory_seq_rm(c.mem, C.llama_seq_id(seq), C.llama_pos(p0), C.llama_pos(p1)))
}

// SeqCopy makes src's tokens at positions p0 to p1-1 part of dst too
// (llama_memory_seq_cp), with p0 and p1 as for SeqRemove. With a unified cache
// the cells are shared and nothing is computed. With streams dst is replaced by
// a copy, made at the next Decode; it and a recurrent state can be copied only
// whole: for a part there is an error.
func (c *Context) SeqCopy(src, dst, p0, p1 int32) error {
	if err := c.check("copy sequence", src, dst); err != nil {
		return err
	}
	if src == dst {
		return nil
	}
	if c.streams() || c.model.Recurrent() || c.model.Hybrid() {
		lo, hi := c.SeqPosMin(src), c.SeqPosMax(src)
		if (p0 > 0 && p0 > lo) || (p1 >= 0 && p1 <= hi) {
			return fmt.Errorf("llama: copy sequence %d to %d: it holds positions %d to %d and can only be copied whole, not from %d to before %d",
				src, dst, lo, hi, p0, p1)
		}
		if c.streams() && !c.SeqRemove(dst, -1, -1) {
			return fmt.Errorf("llama: copy sequence %d to %d: others are attached to what it would replace", src, dst)
		}
		p0, p1 = -1, -1
		c.pending = c.pending || c.streams()
	}
	C.llama_memory_seq_cp(c.mem, C.llama_seq_id(src), C.llama_seq_id(dst), C.llama_pos(p0), C.llama_pos(p1))
	return nil
}

// SeqAttach makes an empty sequence go on behind src, whose cells it reads from
// then on and does not hold (llama_memory_seq_attach, of third_party/patches).
// Sequences that are attached to the same one and decoded together read it once.
// It reports whether it could: that takes a stream for each sequence, no flash
// attention, a plain KV cache, and no more than eight sequences that others are
// attached to. What others are attached to cannot be cut, nor
// can a sequence inside of what it is attached to; SeqRemove of the whole
// detaches it.
func (c *Context) SeqAttach(seq, src int32) bool {
	if !c.has(seq) || !c.has(src) {
		return false
	}
	return bool(C.llama_memory_seq_attach(c.mem, C.llama_seq_id(seq), C.llama_seq_id(src)))
}

// SeqPosMin is the lowest position a sequence holds, -1 if it holds none
// (llama_memory_seq_pos_min). It is above 0 only where a sliding window dropped
// the start.
func (c *Context) SeqPosMin(seq int32) int32 {
	if !c.has(seq) {
		return -1
	}
	return int32(C.llama_memory_seq_pos_min(c.mem, C.llama_seq_id(seq)))
}

// SeqPosMax is the highest position a sequence holds, -1 if it holds none
// (llama_memory_seq_pos_max).
func (c *Context) SeqPosMax(seq int32) int32 {
	if !c.has(seq) {
		return -1
	}
	return int32(C.llama_memory_seq_pos_max(c.mem, C.llama_seq_id(seq)))
}

// CanAttach reports whether SeqAttach can work (llama_memory_can_attach).
func (c *Context) CanAttach() bool { return c.c != nil && bool(C.llama_memory_can_attach(c.mem)) }

// ClearMemory removes all sequences; with data the KV buffers are zeroed too
// (llama_memory_clear).
func (c *Context) ClearMemory(data bool) error {
	if c.c == nil {
		return c.closed("clear memory")
	}
	C.llama_memory_clear(c.mem, C.bool(data))
	return nil
}
