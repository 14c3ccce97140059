package workload

// Count is what the workload leaves to do for an engine with a perfect cache.
func (w *Workload) Count() Counts {
	var c Counts
	w.Each(func(_ int, prefill bool) {
		if prefill {
			c.Distinct++
		}
	})
	w.each(func(r *Row, turn, prompt int) {
		c.Turns++
		c.PromptTokens += prompt
		c.Decoded += r.Turns[turn].Decode
	})
	return c
}

// Each walks the workload as an engine with a perfect cache would, and visits
// every token that is left to compute for it, with how many stand before it:
// prompt tokens that are not in the cache, and generated ones.
func (w *Workload) Each(visit func(depth int, prefill bool)) {
	tree := &prefix{}
	for i := range w.Rows {
		r := &w.Rows[i]
		for t, turn := range r.Turns {
			at := tree
			for _, p := range turn.Parts {
				for _, s := range r.symbols(i, p) {
					var added bool
					if at, added = at.next(s); added {
						visit(at.depth-1, true)
					}
				}
			}
			for n := range turn.Decode - 1 { // the last one sampled is not computed
				visit(at.depth, false)
				at, _ = at.next(symbol{row: i, turn: t + 1, n: n})
			}
		}
	}
}

// symbol stands for a token: a literal one by its id, a generated one by where
// it was generated, since its id is not known before.
type symbol struct {
	id        Token
	row, turn int // turn counts from 1; 0 says that it is a literal
	n         int
}

func (r *Row) symbols(row int, p Part) []symbol {
	var out []symbol
	for _, id := range p.Tokens {
		out = append(out, symbol{id: id})
	}
	if p.Tokens == nil {
		for n := range r.Turns[p.Output].Decode {
			out = append(out, symbol{row: row, turn: p.Output + 1, n: n})
		}
	}
	return out
}

// prefix is a node of the tree of all prefixes that were computed.
type prefix struct {
	depth    int
	children map[symbol]*prefix
}

func (p *prefix) next(s symbol) (child *prefix, added bool) {
	if child, ok := p.children[s]; ok {
		return child, false
	}
	if p.children == nil {
		p.children = map[symbol]*prefix{}
	}
	child = &prefix{depth: p.depth + 1}
	p.children[s] = child
	return child, true
}
