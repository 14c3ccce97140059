package kvcache

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// model is the obvious account that the tree must agree with: every sequence
// as a plain list, and for unified cells a number for each token's cell.
type model struct {
	tokens   [][]Token
	cells    [][]int
	computed []int
	locks    []int
	next     int
}

func (m *model) match(q []Token) (length int) {
	for _, s := range m.tokens {
		length = max(length, commonPrefix(s, q))
	}
	return length
}

func (m *model) unified() int {
	seen := map[int]bool{}
	for _, s := range m.cells {
		for _, c := range s {
			seen[c] = true
		}
	}
	return len(seen)
}

func (m *model) positions(seq int) (int, int) {
	if m.computed[seq] == 0 {
		return -1, -1
	}
	return 0, m.computed[seq] - 1
}

// TestTreeAgainstLists drives a tree and plain lists with the same random
// operations. Few distinct tokens make shared prefixes and splits frequent.
func TestTreeAgainstLists(t *testing.T) { rapid.Check(t, treeAgainstLists) }

// FuzzTreeAgainstLists is the same with inputs that coverage guides.
func FuzzTreeAgainstLists(f *testing.F) { f.Fuzz(rapid.MakeFuzz(treeAgainstLists)) }

func treeAgainstLists(t *rapid.T) {
	n := rapid.IntRange(1, 5).Draw(t, "sequences")
	tree := New(n)
	m := &model{tokens: make([][]Token, n), cells: make([][]int, n), computed: make([]int, n), locks: make([]int, n)}
	run := rapid.SliceOfN(rapid.Int32Range(0, 2), 0, 6)
	seq := rapid.IntRange(0, n-1)
	actions := []func(){
		func() { // append
			s, tok := seq.Draw(t, "seq"), run.Draw(t, "tokens")
			tree.Append(s, tok...)
			m.tokens[s] = append(slices.Clone(m.tokens[s]), tok...)
			for range tok {
				m.next++
				m.cells[s] = append(slices.Clone(m.cells[s]), m.next)
			}
		},
		func() { // compute
			s := seq.Draw(t, "seq")
			m.computed[s] = rapid.IntRange(m.computed[s], len(m.tokens[s])).Draw(t, "n")
			tree.Compute(s, m.computed[s])
		},
		func() { // fork
			src, dst := seq.Draw(t, "src"), seq.Draw(t, "dst")
			if src == dst || len(m.tokens[dst]) > 0 {
				return
			}
			k := rapid.IntRange(0, m.computed[src]).Draw(t, "k")
			tree.Fork(src, dst, k)
			m.tokens[dst], m.cells[dst], m.computed[dst] = slices.Clone(m.tokens[src][:k]), slices.Clone(m.cells[src][:k]), k
		},
		func() { // truncate
			s := seq.Draw(t, "seq")
			k := rapid.IntRange(0, len(m.tokens[s])).Draw(t, "k")
			tree.Truncate(s, k)
			m.tokens[s], m.cells[s], m.computed[s] = m.tokens[s][:k], m.cells[s][:k], min(m.computed[s], k)
		},
		func() { // lock
			s := seq.Draw(t, "seq")
			tree.Lock(s)
			m.locks[s]++
		},
		func() { // unlock
			s := seq.Draw(t, "seq")
			if m.locks[s] == 0 {
				return
			}
			tree.Unlock(s)
			m.locks[s]--
		},
	}
	for range rapid.IntRange(1, 60).Draw(t, "steps") {
		actions[rapid.IntRange(0, len(actions)-1).Draw(t, "action")]()
		compare(t, tree, m, run)
	}
}

func compare(t *rapid.T, tree *Tree, m *model, run *rapid.Generator[[]Token]) {
	if err := tree.Check(m.positions); err != nil {
		t.Fatal(err)
	}
	streams := 0
	for s, want := range m.tokens {
		streams += len(want)
		if got := tree.Tokens(s); !slices.Equal(got, want) {
			t.Fatalf("sequence %d: %v, want %v", s, got, want)
		}
	}
	if got := tree.Cells(false); got != streams {
		t.Fatalf("cells in streams: %d, want %d", got, streams)
	}
	if got, want := tree.Cells(true), m.unified(); got != want {
		t.Fatalf("unified cells: %d, want %d", got, want)
	}
	q := run.Draw(t, "query")
	if hit := tree.Match(q, true); hit.Seq >= 0 && !slices.Equal(m.tokens[hit.Seq], q[:hit.Length]) {
		t.Fatalf("match %v whole: sequence %d holds %v", q, hit.Seq, m.tokens[hit.Seq])
	}
	hit := tree.Match(q, false)
	if want := m.match(q); hit.Length != want {
		t.Fatalf("match %v: %+v, want length %d", q, hit, want)
	}
	if hit.Seq >= 0 && commonPrefix(m.tokens[hit.Seq], q) != hit.Length {
		t.Fatalf("match %v: sequence %d holds %v", q, hit.Seq, m.tokens[hit.Seq])
	}
	if v, ok := tree.NextSequence(); ok == !slices.Contains(m.locks, 0) || ok && m.locks[v] > 0 {
		t.Fatalf("victim %d %v with locks %v", v, ok, m.locks)
	}
}

func TestVictimIsEmptyThenLeastRecentlyUsed(t *testing.T) {
	tree := New(3)
	tree.Append(0, 1)
	tree.Append(1, 2)
	if v, _ := tree.NextSequence(); v != 2 {
		t.Fatalf("victim %d, want the empty sequence 2", v)
	}
	tree.Append(2, 3)
	tree.Append(0, 4) // 1 is now the oldest
	if v, _ := tree.NextSequence(); v != 1 {
		t.Fatalf("victim %d, want 1, used longest ago", v)
	}
	tree.Lock(1)
	if v, _ := tree.NextSequence(); v != 2 {
		t.Fatalf("victim %d, want 2: 1 is locked", v)
	}
}

func TestCheckFindsWhatTheCacheDoesNotHold(t *testing.T) {
	tree := New(2)
	tree.Append(0, 1, 2, 3)
	tree.Compute(0, 3)
	if err := tree.Check(func(seq int) (int, int) { return -1, -1 }); err == nil {
		t.Fatal("the cache is empty, the tree says 3 tokens are in it, and Check is silent")
	}
}
