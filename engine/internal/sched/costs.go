package sched

import (
	"cmp"
	"slices"
)

// Cost is what one pass took: Sequences sequences, Tokens tokens of each.
type Cost struct {
	Sequences int     `json:"sequences"`
	Tokens    int     `json:"tokens"`
	Seconds   float64 `json:"seconds"`
}

// Costs is a table of measured passes, by sequences, then by tokens. NewCosts
// makes one.
type Costs []Cost

// NewCosts sorts what was measured into a table.
func NewCosts(measured []Cost) Costs {
	return slices.SortedFunc(slices.Values(measured), func(a, b Cost) int {
		return cmp.Or(cmp.Compare(a.Sequences, b.Sequences), cmp.Compare(a.Tokens, b.Tokens))
	})
}

// At is what a pass of n sequences with perSeq tokens each takes, in seconds:
// linear between what was measured, and beyond it in tokens.
func (c Costs) At(n int, perSeq float64) float64 {
	below, above := c[:0], c[:0]
	for i := 0; i < len(c); {
		line := c[i:]
		for k := range line {
			if line[k].Sequences != line[0].Sequences {
				line = line[:k]
				break
			}
		}
		i += len(line)
		if line[0].Sequences <= n || len(below) == 0 {
			below = line
		}
		if above = line; line[0].Sequences >= n {
			break
		}
	}
	lo, hi := below.along(perSeq), above.along(perSeq)
	from, to := below[0].Sequences, above[0].Sequences
	if from == to || n <= from {
		return lo
	}
	return lo + (hi-lo)*min(1, float64(n-from)/float64(to-from))
}

// along interpolates among passes of one number of sequences.
func (c Costs) along(perSeq float64) float64 {
	if len(c) == 1 {
		return c[0].Seconds
	}
	i := 1
	for i < len(c)-1 && float64(c[i].Tokens) < perSeq {
		i++
	}
	a, b := c[i-1], c[i]
	return a.Seconds + (b.Seconds-a.Seconds)*(perSeq-float64(a.Tokens))/float64(b.Tokens-a.Tokens)
}
