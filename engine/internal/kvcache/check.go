package kvcache

import (
	"errors"
	"fmt"
	"slices"
)

// Check verifies the tree against itself and against the cache, and returns
// every difference found. positions reports what the cache holds of a
// sequence: the first and last position, or −1, −1 when it is empty
// (llama_memory_seq_pos_min and _max).
//
// It holds between any two steps of the engine: free + held sequences = all;
// each sequence's path has the tokens it counts; a node's holders are exactly
// the sequences whose paths cross it; no node is empty or unheld; and the
// cache has positions 0 … computed−1 of every sequence.
func (t *Tree) Check(positions func(seq int) (first, last int)) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	paths := map[*node][]int{}
	for i, s := range t.seqs {
		length := 0
		for p := s.leaf; p != t.root; p = p.parent {
			if p == nil {
				fault("sequence %d ends at a node that the root does not reach", i)
				break
			}
			length += len(p.edge)
			paths[p] = append(paths[p], i)
		}
		if length != s.length {
			fault("sequence %d counts %d tokens, its path has %d", i, s.length, length)
		}
		if s.computed > s.length || s.computed < 0 {
			fault("sequence %d: %d computed of %d tokens", i, s.computed, s.length)
		}
		first, last := positions(i)
		if want := s.computed - 1; last != want || (s.computed > 0 && first != 0) {
			fault("sequence %d: the tree has positions 0 to %d, the cache %d to %d", i, want, first, last)
		}
	}
	reached := 0
	t.walk(t.root, func(n *node) {
		reached++
		if len(n.edge) == 0 {
			fault("a node of sequences %v has no tokens", n.holders)
		}
		if !slices.Equal(n.holders, paths[n]) {
			fault("a node says it is held by %v, paths through it are those of %v", n.holders, paths[n])
		}
		for _, c := range n.children {
			if c.parent != n {
				fault("a child of the node held by %v has another parent", n.holders)
			}
		}
	})
	if reached != len(paths) {
		fault("%d nodes are reachable, %d are on paths", reached, len(paths))
	}
	return errors.Join(faults...)
}
