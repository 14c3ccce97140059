// Package digest names things by what they are made of: SHA-256 of unambiguous byte strings. Every key of a cache, every
// derived seed and every name of a prompt or pair is made here, or by an [Encoder] from here.
//
// # Key tags
//
// Each field of a struct of settings carries a struct tag "key", a list of the keys that the field is part of:
//
//   - turn: of the key of what a model computes, a turn or a judgement. Another value means that it is computed again.
//   - run: of what names a run or a set of labels. Another value makes another run; turns are taken from the old one where
//     their own keys are the same.
//   - states: of the key of hidden states.
//   - none: of no key. The value changes nothing that is kept.
//
// The comment on a field says why where that is not plain. Tests change each field and see what changes with it
// (package digesttest).
package digest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
)

// Sum is the hash of what an Encoder wrote.
type Sum [sha256.Size]byte

// Hex is the whole sum as 64 hexadecimal digits.
func (s Sum) Hex() string { return hex.EncodeToString(s[:]) }

// Short is the first 8 bytes as 16 hexadecimal digits, for names that people see.
func (s Sum) Short() string { return hex.EncodeToString(s[:8]) }

// Seed is the first 8 bytes as a number.
func (s Sum) Seed() uint64 { return binary.LittleEndian.Uint64(s[:]) }

// Encoder builds a byte string from which what was written can be told apart: every text and list is preceded by its
// length. The zero value is empty.
type Encoder []byte

// New begins a string of a domain: the same values in two domains have different sums.
func New(d Domain) Encoder { return Encoder(d) }

// Number writes a number.
func (e *Encoder) Number(v uint64) { *e = binary.LittleEndian.AppendUint64(*e, v) }

// Int writes a number that may be negative.
func (e *Encoder) Int(v int) { e.Number(uint64(v)) }

// Float writes the bits of a number.
func (e *Encoder) Float(v float64) { e.Number(math.Float64bits(v)) }

// Flag writes 1 or 0.
func (e *Encoder) Flag(on bool) {
	if on {
		e.Number(1)
	} else {
		e.Number(0)
	}
}

// Text writes a text.
func (e *Encoder) Text(t string) {
	e.Int(len(t))
	*e = append(*e, t...)
}

// Tokens writes token ids.
func (e *Encoder) Tokens(ids []int32) {
	e.Int(len(ids))
	for _, id := range ids {
		*e = binary.LittleEndian.AppendUint32(*e, uint32(id))
	}
}

// Sum is the hash of what was written.
func (e *Encoder) Sum() Sum { return sha256.Sum256(*e) }
