// Package kvcache keeps account of what lies in the KV cache: a prefix tree
// over the sequences of one llama.cpp context.
//
// A node is a run of tokens whose K and V were computed together. A sequence
// is a path from the root to the node where it ends. Two sequences share a
// node only when one was forked from the other, so a node stands for real
// cells: with unified cells the cache uses as many as the nodes have tokens,
// with one stream a sequence as many as the paths have. Sequences that came
// to the same tokens separately have nodes of their own, and Match looks at
// all of them.
//
//	root ─ preamble (seq 16, pinned)
//	         ├─ prompt A ─ draft A ─ critique request …   (seq 0)
//	         └─ prompt B ─ …                              (seq 1)
//
// The tree never calls llama.cpp. The engine changes the cache first and
// tells the tree after, and Check compares the two.
package kvcache

import (
	"fmt"
	"slices"
)

// Token is a token id of the model's vocabulary.
type Token = int32

// Tree is the account of one context's sequences. It is not safe for
// concurrent use: the engine's loop owns it.
type Tree struct {
	root  *node
	seqs  []sequence
	clock uint64 // counts uses, so that eviction order never depends on time
}

// node is a run of tokens between two branch points.
type node struct {
	edge     []Token
	parent   *node
	children []*node
	holders  []int // sequences whose path goes through this node, ascending
}

// sequence is one llama_seq_id.
type sequence struct {
	leaf     *node // where the path ends; root when the sequence is empty
	length   int   // tokens on the path: computed ones and planned ones
	computed int   // leading tokens whose K and V are in the cache
	locks    int
	used     uint64
}

// New returns an empty tree for sequences 0 … n−1.
func New(n int) *Tree {
	t := &Tree{root: &node{}, seqs: make([]sequence, n)}
	for i := range t.seqs {
		t.seqs[i].leaf = t.root
	}
	return t
}

// Hit is the best prefix that Match found.
type Hit struct {
	Seq      int // the sequence that holds it; −1 when nothing matched
	Length   int // leading tokens of the query on that sequence's path
	Computed int // of these, how many are in the cache already
}

// Match returns the longest prefix of tokens that some sequence holds. Of
// several sequences that hold it the one with the most of it computed wins,
// then the one that is not locked, then the lowest id. With whole set only
// sequences count that are a prefix of tokens from end to end: all that a
// memory can use which cannot be cut. Match changes nothing.
func (t *Tree) Match(tokens []Token, whole bool) Hit {
	best := Hit{Seq: -1}
	t.match(t.root, tokens, 0, func(s, length int) bool { return !whole || length == t.Len(s) }, &best)
	return best
}

// MatchFree is Match among the sequences that are not locked: those that can
// be taken over.
func (t *Tree) MatchFree(tokens []Token, whole bool) Hit {
	best := Hit{Seq: -1}
	t.match(t.root, tokens, 0, func(s, length int) bool { return !t.Locked(s) && (!whole || length == t.Len(s)) }, &best)
	return best
}

func (t *Tree) match(n *node, tokens []Token, depth int, use func(seq, length int) bool, best *Hit) {
	for _, c := range n.children {
		k := commonPrefix(c.edge, tokens[depth:])
		if k == 0 {
			continue
		}
		for _, s := range c.holders {
			hit := Hit{Seq: s, Length: depth + k, Computed: min(depth+k, t.seqs[s].computed)}
			if use(s, hit.Length) && t.better(hit, *best) {
				*best = hit
			}
		}
		if k == len(c.edge) {
			t.match(c, tokens, depth+k, use, best)
		}
	}
}

func (t *Tree) better(a, b Hit) bool {
	switch {
	case b.Seq < 0:
		return true
	case a.Length != b.Length:
		return a.Length > b.Length
	case a.Computed != b.Computed:
		return a.Computed > b.Computed
	}
	if la, lb := t.Locked(a.Seq), t.Locked(b.Seq); la != lb {
		return lb
	}
	return a.Seq < b.Seq
}

func commonPrefix(a, b []Token) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// Fork makes the empty sequence dst hold the first n computed tokens of src:
// what llama_memory_seq_cp did in the cache.
func (t *Tree) Fork(src, dst, n int) {
	if t.seqs[dst].leaf != t.root {
		t.broken("fork into sequence %d, which is not empty", dst)
	}
	if n > t.seqs[src].computed {
		t.broken("fork of %d tokens of sequence %d, which has %d computed", n, src, t.seqs[src].computed)
	}
	if n > 0 {
		at := t.splitAt(src, n)
		for p := at; p != t.root; p = p.parent {
			p.holders = insertSorted(p.holders, dst)
		}
		t.seqs[dst].leaf = at
	}
	t.seqs[dst].length, t.seqs[dst].computed = n, n
	t.touch(dst)
}

// Append puts planned tokens at the end of a sequence. They count as computed
// once Compute says so.
func (t *Tree) Append(seq int, tokens ...Token) {
	if len(tokens) == 0 {
		return
	}
	s := &t.seqs[seq]
	own := s.leaf != t.root && len(s.leaf.holders) == 1 && len(s.leaf.children) == 0
	if own {
		s.leaf.edge = append(s.leaf.edge, tokens...)
	} else {
		c := &node{edge: slices.Clone(tokens), parent: s.leaf, holders: []int{seq}}
		s.leaf.children = append(s.leaf.children, c)
		s.leaf = c
	}
	s.length += len(tokens)
	t.touch(seq)
}

// Compute records that the first n tokens of a sequence are in the cache.
func (t *Tree) Compute(seq, n int) {
	if n > t.seqs[seq].length {
		t.broken("sequence %d: %d computed of %d planned", seq, n, t.seqs[seq].length)
	}
	t.seqs[seq].computed = n
}

// Truncate cuts a sequence to its first n tokens; 0 empties it.
func (t *Tree) Truncate(seq, n int) {
	s := &t.seqs[seq]
	if n >= s.length {
		return
	}
	keep := t.root
	if n > 0 {
		keep = t.splitAt(seq, n)
	}
	for p := s.leaf; p != keep; {
		parent := p.parent
		p.holders = removeSorted(p.holders, seq)
		if len(p.holders) == 0 {
			parent.children = slices.DeleteFunc(parent.children, func(c *node) bool { return c == p })
		}
		p = parent
	}
	s.leaf, s.length, s.computed = keep, n, min(s.computed, n)
	t.touch(seq)
}

// Lock keeps a sequence from eviction until as many Unlock calls.
func (t *Tree) Lock(seq int) {
	t.seqs[seq].locks++
	t.touch(seq)
}

// Unlock undoes one Lock.
func (t *Tree) Unlock(seq int) {
	if t.seqs[seq].locks == 0 {
		t.broken("unlock of sequence %d, which is not locked", seq)
	}
	t.seqs[seq].locks--
}

// NextSequence names the sequence to use next: the lowest empty one, else the one
// least recently used; never a locked one. ok is false when all are locked.
func (t *Tree) NextSequence() (seq int, ok bool) {
	for i, s := range t.seqs {
		if s.locks == 0 && s.length == 0 {
			return i, true
		}
	}
	return t.LeastRecentlyUsed()
}

// LeastRecentlyUsed names the sequence to evict when cells are short: of those that hold
// tokens and are not locked, the one least recently used.
func (t *Tree) LeastRecentlyUsed() (seq int, ok bool) {
	seq = -1
	for i, s := range t.seqs {
		if s.locks == 0 && s.length > 0 && (seq < 0 || s.used < t.seqs[seq].used) {
			seq = i
		}
	}
	return seq, seq >= 0
}

// Locked reports whether a sequence is locked.
func (t *Tree) Locked(seq int) bool { return t.seqs[seq].locks > 0 }

// Len is the number of tokens on a sequence's path, planned ones included.
func (t *Tree) Len(seq int) int { return t.seqs[seq].length }

// Computed is how many leading tokens of a sequence are in the cache.
func (t *Tree) Computed(seq int) int { return t.seqs[seq].computed }

// Tokens returns a copy of a sequence's tokens.
func (t *Tree) Tokens(seq int) []Token {
	out := make([]Token, 0, t.seqs[seq].length)
	var path []*node
	for p := t.seqs[seq].leaf; p != t.root; p = p.parent {
		path = append(path, p)
	}
	for _, p := range slices.Backward(path) {
		out = append(out, p.edge...)
	}
	return out
}

// Cells is how many cells the planned tokens take: shared runs once when cells
// are unified, once for every sequence otherwise.
func (t *Tree) Cells(unified bool) int {
	total := 0
	if !unified {
		for _, s := range t.seqs {
			total += s.length
		}
		return total
	}
	t.walk(t.root, func(n *node) { total += len(n.edge) })
	return total
}

// CellsKept is how many unified cells stay when everything is evicted that may
// be, except the first n tokens of seq: those of locked sequences and these.
// A negative seq adds none.
func (t *Tree) CellsKept(seq, n int) int {
	total := 0
	t.walk(t.root, func(p *node) {
		if slices.ContainsFunc(p.holders, t.Locked) {
			total += len(p.edge)
		}
	})
	if seq < 0 {
		return total
	}
	end := t.seqs[seq].length
	for p := t.seqs[seq].leaf; p != t.root; p = p.parent {
		start := end - len(p.edge)
		if !slices.ContainsFunc(p.holders, t.Locked) {
			total += max(0, min(end, n)-start)
		}
		end = start
	}
	return total
}

func (t *Tree) touch(seq int) {
	t.clock++
	t.seqs[seq].used = t.clock
}

// splitAt returns the node on seq's path that ends after n tokens, dividing
// the node which spans that point.
func (t *Tree) splitAt(seq, n int) *node {
	p, end := t.seqs[seq].leaf, t.seqs[seq].length
	for end-len(p.edge) >= n {
		end -= len(p.edge)
		p = p.parent
	}
	if end == n {
		return p
	}
	t.split(p, len(p.edge)-(end-n))
	return p
}

// split divides n after k tokens: n keeps the first k, a new child takes the
// rest, n's children and the sequences that ended at n.
func (t *Tree) split(n *node, k int) {
	tail := &node{
		edge:     slices.Clone(n.edge[k:]),
		parent:   n,
		children: n.children,
		holders:  slices.Clone(n.holders),
	}
	for _, c := range tail.children {
		c.parent = tail
	}
	for _, s := range n.holders {
		if t.seqs[s].leaf == n {
			t.seqs[s].leaf = tail
		}
	}
	n.edge, n.children = n.edge[:k:k], []*node{tail}
}

func (t *Tree) walk(n *node, visit func(*node)) {
	for _, c := range n.children {
		visit(c)
		t.walk(c, visit)
	}
}

// broken reports a broken contract of the caller with the values in question:
// going on would let the tree and the cache disagree silently.
func (t *Tree) broken(format string, args ...any) {
	panic("kvcache: " + fmt.Sprintf(format, args...))
}

func insertSorted(s []int, v int) []int {
	i, found := slices.BinarySearch(s, v)
	if found {
		return s
	}
	return slices.Insert(s, i, v)
}

func removeSorted(s []int, v int) []int {
	if i, found := slices.BinarySearch(s, v); found {
		return slices.Delete(s, i, i+1)
	}
	return s
}
