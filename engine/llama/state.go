package llama

// #include "shim.h"
import "C"

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"unsafe"
)

// A saved sequence state is a header, the tokens, and what
// llama_state_seq_get_data wrote. The header is ours, little-endian: llama.cpp
// believes the numbers in a state it reads, so damage is found before it does.
//
//	0   8  magic
//	8   4  version
//	12  4  number of tokens
//	16  32 fingerprint of the model
//	48  8  bytes of llama.cpp's state
//	56  4  CRC-32C of everything but itself
//	60  4  0
//	64     tokens, 4 bytes each, then the state
const (
	stateMagic   = "amendSEQ"
	stateVersion = 1
	stateHeader  = 64
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// SeqState returns a copy of a sequence's part of the KV cache
// (llama_state_seq_get_data), for SetSeqState. It can be large: as many bytes as
// the sequence's cells take.
func (c *Context) SeqState(seq int32) ([]byte, error) { return c.seqState(seq, nil) }

func (c *Context) seqState(seq int32, tokens []Token) ([]byte, error) {
	if err := c.settled("save sequence", seq); err != nil {
		return nil, err
	}
	mark := process.sink.mark()
	size := int(C.amend_state_size(c.c, C.llama_seq_id(seq)))
	start := stateHeader + 4*len(tokens)
	buf := make([]byte, start+size)
	if size == 0 || int(C.amend_state_get(c.c, (*C.uint8_t)(unsafe.Pointer(&buf[start])), C.size_t(size), C.llama_seq_id(seq))) != size {
		return nil, errors.New(withLines(fmt.Sprintf("llama: save sequence %d of %d bytes", seq, size), process.sink.errorsSince(mark)))
	}
	copy(buf, stateMagic)
	le := binary.LittleEndian
	le.PutUint32(buf[8:], stateVersion)
	le.PutUint32(buf[12:], uint32(len(tokens)))
	fingerprint := c.model.fingerprint()
	copy(buf[16:], fingerprint[:])
	le.PutUint64(buf[48:], uint64(size))
	for i, t := range tokens {
		le.PutUint32(buf[stateHeader+4*i:], uint32(t))
	}
	le.PutUint32(buf[56:], stateSum(buf))
	return buf, nil
}

// SetSeqState replaces a sequence by a saved one (llama_state_seq_set_data). A
// state that is damaged, or was saved with another model, is an error that wraps
// ErrState and changes nothing. So is one of another cache type or layout, or
// for which there is no room: then the sequence is left empty. The outputs of
// the last Decode are not part of a state, and are not readable afterwards.
func (c *Context) SetSeqState(seq int32, state []byte) error {
	if err := c.settled("restore sequence", seq); err != nil {
		return err
	}
	_, data, err := c.openState(state)
	if err != nil {
		return fmt.Errorf("llama: restore sequence %d: %w", seq, err)
	}
	c.outputs = c.outputs[:0]
	c.SeqRemove(seq, -1, -1)
	mark := process.sink.mark()
	n := int(C.amend_state_set(c.c, (*C.uint8_t)(unsafe.Pointer(&data[0])), C.size_t(len(data)), C.llama_seq_id(seq)))
	if n != len(data) {
		c.SeqRemove(seq, -1, -1)
		msg := withLines("llama.cpp did not take it", process.sink.errorsSince(mark))
		return fmt.Errorf("llama: restore sequence %d of %d bytes: %w: %s", seq, len(data), ErrState, msg)
	}
	return nil
}

// SaveSeqFile writes a sequence's state with the tokens it holds to a file, for
// LoadSeqFile. The file appears under its name only when it is complete.
func (c *Context) SaveSeqFile(path string, seq int32, tokens []Token) error {
	state, err := c.seqState(seq, tokens)
	if err != nil {
		return err
	}
	if err := writeWhole(path, state); err != nil {
		return fmt.Errorf("llama: save sequence %d: %w", seq, err)
	}
	return nil
}

// LoadSeqFile replaces a sequence by the one in a file that SaveSeqFile wrote,
// and returns its tokens, at most maxTokens. Errors are as for SetSeqState.
func (c *Context) LoadSeqFile(path string, seq int32, maxTokens int) ([]Token, error) {
	if err := c.check("load sequence", seq); err != nil {
		return nil, err
	}
	state, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("llama: load sequence %d: %w", seq, err)
	}
	tokens, _, err := c.openState(state)
	if err != nil {
		return nil, fmt.Errorf("llama: load sequence %d from %q: %w", seq, path, err)
	}
	if len(tokens) > maxTokens {
		return nil, fmt.Errorf("llama: load sequence %d from %q: it has %d tokens, and at most %d are wanted", seq, path, len(tokens), maxTokens)
	}
	if err := c.SetSeqState(seq, state); err != nil {
		return nil, err
	}
	return tokens, nil
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

// openState checks a state and returns its tokens and llama.cpp's part.
func (c *Context) openState(b []byte) ([]Token, []byte, error) {
	le := binary.LittleEndian
	if len(b) < stateHeader || string(b[:8]) != stateMagic {
		return nil, nil, fmt.Errorf("%w: it is not one", ErrState)
	}
	if v := le.Uint32(b[8:]); v != stateVersion {
		return nil, nil, fmt.Errorf("%w: it has version %d, and this is version %d", ErrState, v, stateVersion)
	}
	n, size := uint64(le.Uint32(b[12:])), le.Uint64(b[48:])
	if size == 0 || size > uint64(len(b)) || stateHeader+4*n+size != uint64(len(b)) {
		return nil, nil, fmt.Errorf("%w: it names %d tokens and %d bytes, and has %d bytes in all", ErrState, n, size, len(b))
	}
	if le.Uint32(b[56:]) != stateSum(b) {
		return nil, nil, fmt.Errorf("%w: it is damaged (checksum)", ErrState)
	}
	if fingerprint := c.model.fingerprint(); !bytes.Equal(b[16:48], fingerprint[:]) {
		return nil, nil, fmt.Errorf("%w: it was saved with another model than %q", ErrState, c.model.path)
	}
	tokens := make([]Token, n)
	for i := range tokens {
		tokens[i] = Token(le.Uint32(b[stateHeader+4*i:]))
	}
	return tokens, b[stateHeader+4*n:], nil
}

// stateSum is the checksum of a state but for the checksum itself.
func stateSum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:56], castagnoli), castagnoli, b[60:])
}

// fingerprint tells models apart by metadata and size; it does not read weights.
func (m *Model) fingerprint() [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d\n", m.Size(), m.Params())
	for _, kv := range m.Metadata() {
		fmt.Fprintf(h, "%q=%q\n", kv.Key, kv.Value)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// writeWhole writes a file beside its name, then renames it.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(f.Name()))
	}
	return nil
}
