package testbed

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
)

// Faults are the errors of the world's critic, reviser and judge. Each is a set of cells, places in the table of
// principles, rules and phrase classes, chosen by a hash: the same words under the same principle always meet
// the same error, another principle often does not.
type Faults struct {
	missed  map[cell]bool // a breach that the critic does not see under a principle
	unseen  map[cell]bool // a breach that it sees under no principle; no principle in the cell
	alarmed map[cell]bool // a clean clause that it takes for a breach
	spoiled map[cell]int  // a breach whose repair breaks another rule: which; no principle in the cell
	lost    map[cell]bool // a breach whose repair drops a useful fact; no principle in the cell
	placed  map[cell]bool // the worse response's first breach, at which the judge says (A) wherever it stands; no principle in the cell
	lengthy map[cell]bool // the same, at which it says the longer response; no principle in the cell
	sizes   []faultSize
}

// cell is a place in a table of faults. Its principle is "" where a fault does not depend on it.
type cell struct {
	principle   string
	rule, class int
}

// faultSize says how large a planted fault is.
type faultSize struct {
	Name  string // a word or two
	Cells int    // that have the fault
	Of    int    // cells in all
	Says  string // what happens in such a cell
}

// plant chooses the cells of every fault.
func plant(w *World) *Faults {
	var breaches, cleans, all []cell // with principles: breaches, cleans; without: all
	for rule, r := range w.rules {
		for class := range r.Breaches {
			all = append(all, cell{"", rule, class})
		}
		for _, p := range w.principles {
			if !p.CoversRule(rule) {
				continue
			}
			for class := range r.Breaches {
				breaches = append(breaches, cell{p.ID, rule, class})
			}
			for class := range r.Cleans {
				cleans = append(cleans, cell{p.ID, rule, class})
			}
		}
	}
	f := &Faults{spoiled: map[cell]int{}}
	f.unseen = f.choose("unseen", all, 1, "the critic sees such a breach under no principle")
	f.missed = f.choose("missed", breaches, 7, "the critic does not see such a breach under this principle")
	f.alarmed = f.choose("false alarm", cleans, 8, "the critic takes such a clean clause for a breach under this principle")
	spoiled := f.choose("spoiled", all, 2, "the repair of such a breach breaks another rule")
	f.lost = f.choose("lost fact", all, 3, "the repair of such a breach puts hollow words in the place of the first fact")
	f.placed = f.choose("position", all, 3, "where such a breach decides, the judge says (A) whatever stands there")
	f.lengthy = f.choose("length", all, 3, "where such a breach decides and the worse response has more points, the judge prefers it")
	others := w.unboundBreakers()
	for _, c := range all {
		if spoiled[c] {
			f.spoiled[c] = others[rank("spoiled by", c)%uint64(len(others))]
		}
	}
	return f
}

// choose takes the n cells with the lowest hashes.
func (f *Faults) choose(name string, cells []cell, n int, says string) map[cell]bool {
	sorted := slices.Clone(cells)
	slices.SortFunc(sorted, func(a, b cell) int { return cmp.Compare(rank(name, a), rank(name, b)) })
	chosen := map[cell]bool{}
	for _, c := range sorted[:n] {
		chosen[c] = true
	}
	f.sizes = append(f.sizes, faultSize{name, n, len(cells), says})
	return chosen
}

func rank(name string, c cell) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s/%s/%d/%d", name, c.principle, c.rule, c.class) // never fails
	// FNV's low bits mix best; a multiplication carries them up.
	return h.Sum64() * 0x9e3779b97f4a7c15
}

// unboundBreakers are the rules that can be broken in words that take up nothing from the prompt.
func (w *World) unboundBreakers() []int {
	var out []int
	for i := range w.rules {
		if len(w.unbound(i, w.compiled.breach[i])) > 0 {
			out = append(out, i)
		}
	}
	return out
}

// unbound are the places of the templates that take up nothing from the prompt.
func (w *World) unbound(rule int, classes []template) []int {
	var out []int
	for i, t := range classes {
		if slot := w.rules[rule].Bound; slot == "" || !t.has(slot) {
			out = append(out, i)
		}
	}
	return out
}
