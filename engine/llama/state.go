package llama

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// SeqState returns a copy of a sequence's part of the KV cache
// (llama_state_seq_get_data), for SetSeqState. It can be large: as many bytes as
// the sequence's cells take.
func (c *Context) SeqState(seq int32) ([]byte, error) {
	if err := c.settled("save sequence", seq); err != nil {
		return nil, err
	}
	mark := process.sink.mark()
	size := int(C.amend_state_size(c.c, C.llama_seq_id(seq)))
	state := make([]byte, size)
	if size == 0 || int(C.amend_state_get(c.c, (*C.uint8_t)(unsafe.Pointer(&state[0])), C.size_t(size), C.llama_seq_id(seq))) != size {
		return nil, errors.New(withLines(fmt.Sprintf("llama: save sequence %d of %d bytes", seq, size), process.sink.errorsSince(mark)))
	}
	return state, nil
}

// SetSeqState replaces a sequence by a saved one (llama_state_seq_set_data). One
// of another cache type or layout, or for which there is no room, is an error
// that wraps ErrState, and leaves the sequence empty. The outputs of the last
// Decode are not part of a state, and are not readable afterwards.
//
// The state must be whole and of the same model: llama.cpp believes the numbers
// in it. One that lay on a disk is to be checked first, as package kvfile does.
func (c *Context) SetSeqState(seq int32, state []byte) error {
	if err := c.settled("restore sequence", seq); err != nil {
		return err
	}
	if len(state) == 0 {
		return fmt.Errorf("llama: restore sequence %d: %w: it is empty", seq, ErrState)
	}
	c.outputs = c.outputs[:0]
	c.SeqRemove(seq, -1, -1)
	mark := process.sink.mark()
	n := int(C.amend_state_set(c.c, (*C.uint8_t)(unsafe.Pointer(&state[0])), C.size_t(len(state)), C.llama_seq_id(seq)))
	if n != len(state) {
		c.SeqRemove(seq, -1, -1)
		msg := withLines("llama.cpp did not take it", process.sink.errorsSince(mark))
		return fmt.Errorf("llama: restore sequence %d of %d bytes: %w: %s", seq, len(state), ErrState, msg)
	}
	return nil
}

// settled checks that a sequence's cells hold what the cache says: copies
// between streams are made only by the next Decode.
func (c *Context) settled(doing string, seq int32) error {
	if err := c.check(doing, seq); err != nil {
		return err
	}
	if c.pending {
		return fmt.Errorf("llama: %s %d: a copy of sequences waits for the next decode", doing, seq)
	}
	return nil
}
