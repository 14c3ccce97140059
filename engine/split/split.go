// Package split places prompts: among what is trained on or what is held out, in one of two parts, in one of some folds. The
// place depends on the roles and contents of the prompt alone, so all that is made of a prompt, by any command, is on the same
// side: what one holds out no other trains on.
package split

import (
	"encoding/binary"

	"amend/engine/digest"
)

// Name is that of this split, for files that must say how they were made. Files without a name are of older splits, which
// differed between commands.
const Name = "prompt-sha256-1"

// Place is where a prompt lies. Its numbers are independent of each other.
type Place struct{ sum digest.Sum }

// Of is the place of a prompt.
func Of(prompt digest.Messages) Place { return Place{digest.Split(prompt)} }

// HeldOut reports whether the prompt is in the share that nothing is trained on. A larger share holds those of a smaller one.
func (p Place) HeldOut(share float64) bool { return p.Position() < share }

// Position is the share, from 0 to below 1, above which HeldOut holds the prompt out: those with the lowest are held out first.
func (p Place) Position() float64 { return unit(p.sum[8:]) }

// FirstPart reports whether the prompt is in the first of two halves, for sets of training that share no prompt.
func (p Place) FirstPart() bool { return unit(p.sum[:]) < 0.5 }

// Fold is the one of n folds that the prompt is in.
func (p Place) Fold(n int) int { return int(binary.LittleEndian.Uint64(p.sum[24:]) % uint64(n)) }

// unit is a number from 0 to below 1.
func unit(b []byte) float64 { return float64(binary.LittleEndian.Uint64(b)>>11) / (1 << 53) }
