package llama

import "fmt"

// llama.cpp goes through all ways in which a rule can begin, one by one, and
// recurses from rule to rule: without bounds a short text can take all memory or
// the stack.
const (
	maxGrammarStarts = 1 << 16
	maxGrammarDepth  = 4096
)

// check refuses grammars that llama.cpp cannot follow: left recursion, which it
// finds only where the rules before are empty on the face of it, and otherwise
// follows without end; rules that neither begin with a character nor are empty,
// which leave it without a state; and too many ways to begin.
func (p *gbnfParser) check(root string) error {
	if _, ok := p.ids[root]; !ok {
		return fmt.Errorf("%w: it has no rule %q to start with", ErrGrammar, root)
	}
	empty := p.empty()
	for id, ok := range p.begins(empty) {
		if !ok && !empty[id] {
			return fmt.Errorf("%w: rule %q can never begin with a character or end", ErrGrammar, p.names[id])
		}
	}
	// Once as llama.cpp sees it, for its own check, and once as it is.
	if err := p.checkStarts(p.plainlyEmpty(), true); err != nil {
		return err
	}
	return p.checkStarts(empty, false)
}

// first calls visit for each element with which rule id can begin: a character,
// or a reference. last says that nothing follows it.
func (p *gbnfParser) first(id int, empty []bool, visit func(e gbnfElement, last bool)) {
	open := true
	rule := p.rules[id]
	for i, e := range rule {
		switch e.kind {
		case gbnfMore:
		case gbnfAlt, gbnfEnd:
			open = true
		case gbnfChar, gbnfRef:
			if open {
				visit(e, rule[i+1].kind == gbnfAlt || rule[i+1].kind == gbnfEnd)
				open = e.kind == gbnfRef && empty[e.rule]
			}
		}
	}
}

// plainlyEmpty reports the rules with an alternative of no elements.
func (p *gbnfParser) plainlyEmpty() []bool {
	empty := make([]bool, len(p.rules))
	for id, rule := range p.rules {
		for i, e := range rule {
			ends := e.kind == gbnfAlt || e.kind == gbnfEnd
			if ends && (i == 0 || rule[i-1].kind == gbnfAlt) {
				empty[id] = true
			}
		}
	}
	return empty
}

// empty reports the rules that can be the empty text.
func (p *gbnfParser) empty() []bool {
	empty := make([]bool, len(p.rules))
	p.grow(empty, func(id int) bool {
		open := true
		for _, e := range p.rules[id] {
			switch {
			case e.kind == gbnfAlt || e.kind == gbnfEnd:
				if open {
					return true
				}
				open = true
			case e.kind != gbnfRef || !empty[e.rule]:
				open = false
			}
		}
		return false
	})
	return empty
}

// begins reports the rules that can begin with a character.
func (p *gbnfParser) begins(empty []bool) []bool {
	begins := make([]bool, len(p.rules))
	p.grow(begins, func(id int) bool {
		found := false
		p.first(id, empty, func(e gbnfElement, _ bool) {
			found = found || e.kind == gbnfChar || begins[e.rule]
		})
		return found
	})
	return begins
}

// grow sets known[id] where holds(id), until nothing changes.
func (p *gbnfParser) grow(known []bool, holds func(id int) bool) {
	for changed := true; changed; {
		changed = false
		// Rules that are referred to mostly come later, so go backwards.
		for id := len(known) - 1; id >= 0; id-- {
			if !known[id] && holds(id) {
				known[id], changed = true, true
			}
		}
	}
}

// checkStarts refuses left recursion and rules that can begin in too many ways.
// Recursion at the end of a rule, with only empty rules before it, leaves
// llama.cpp where it was: only a strict check refuses it.
func (p *gbnfParser) checkStarts(empty []bool, strict bool) error {
	groups := p.leftGroups(empty)
	group := make([]int, len(p.rules))
	for g, ids := range groups {
		for _, id := range ids {
			group[id] = g
		}
	}
	starts, depth := make([]float64, len(groups)), make([]int, len(groups))
	for g, ids := range groups {
		depth[g] = len(ids)
		for _, id := range ids {
			recursive := false
			starts[g]++
			p.first(id, empty, func(e gbnfElement, last bool) {
				switch {
				case e.kind == gbnfChar:
					starts[g]++
				case group[e.rule] == g:
					starts[g]++
					recursive = recursive || strict || !last
				default:
					starts[g] += starts[group[e.rule]]
					depth[g] = max(depth[g], len(ids)+depth[group[e.rule]])
				}
			})
			if recursive {
				return fmt.Errorf("%w: rule %q begins with itself (left recursion)", ErrGrammar, p.names[id])
			}
		}
		if starts[g] > maxGrammarStarts || depth[g] > maxGrammarDepth {
			return fmt.Errorf("%w: rule %q can begin in %.0f ways through %d rules, and there may be %d and %d",
				ErrGrammar, p.names[ids[0]], starts[g], depth[g], maxGrammarStarts, maxGrammarDepth)
		}
	}
	return nil
}

// leftGroups is the rules in groups of those that can begin with one another,
// each group after those that it can begin with (Tarjan's strongly connected
// components).
func (p *gbnfParser) leftGroups(empty []bool) [][]int {
	var (
		groups     [][]int
		stack      []int
		order, low = make([]int, len(p.rules)), make([]int, len(p.rules)) // order is 0 before the visit
		onStack    = make([]bool, len(p.rules))
		visited    int
		visit      func(id int)
	)
	visit = func(id int) {
		visited++
		order[id], low[id], onStack[id] = visited, visited, true
		at := len(stack)
		stack = append(stack, id)
		p.first(id, empty, func(e gbnfElement, _ bool) {
			switch {
			case e.kind != gbnfRef:
			case order[e.rule] == 0:
				visit(e.rule)
				low[id] = min(low[id], low[e.rule])
			case onStack[e.rule]:
				low[id] = min(low[id], order[e.rule])
			}
		})
		if low[id] == order[id] {
			groups = append(groups, append([]int(nil), stack[at:]...))
			for _, member := range stack[at:] {
				onStack[member] = false
			}
			stack = stack[:at]
		}
	}
	for id := range p.rules {
		if order[id] == 0 {
			visit(id)
		}
	}
	return groups
}
