// Package content names things by what they are made of: hashes of unambiguous byte strings.
package content

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"amend/engine"
)

// Encoder builds a byte string from which what was written can be told apart: every text and list is preceded by its
// length. The zero value is empty.
type Encoder []byte

// Number writes a number.
func (e *Encoder) Number(v uint64) { *e = binary.LittleEndian.AppendUint64(*e, v) }

// Text writes a text.
func (e *Encoder) Text(t string) {
	e.Number(uint64(len(t)))
	*e = append(*e, t...)
}

// Tokens writes token ids.
func (e *Encoder) Tokens(ids []engine.Token) {
	e.Number(uint64(len(ids)))
	for _, id := range ids {
		*e = binary.LittleEndian.AppendUint32(*e, uint32(id))
	}
}

// Sampling writes how tokens are drawn.
func (e *Encoder) Sampling(s engine.Sampling) {
	for _, v := range []float64{
		s.Temperature, float64(s.TopK), s.TopP, s.MinP, s.RepetitionPenalty, s.FrequencyPenalty, s.PresencePenalty, float64(s.PenaltyWindow),
	} {
		e.Number(math.Float64bits(v))
	}
	e.Number(uint64(len(s.LogitBias)))
	for _, id := range slices.Sorted(maps.Keys(s.LogitBias)) {
		e.Number(uint64(id))
		e.Number(math.Float64bits(s.LogitBias[id]))
	}
}

// Sum is the hash of what was written.
func (e *Encoder) Sum() [sha256.Size]byte { return sha256.Sum256(*e) }
