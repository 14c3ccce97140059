package testbed

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// World is the grammar of the test bench, compiled.
type World struct {
	rules    []Rule
	topics   []Topic
	kinds    map[string]kind
	words    wordings
	compiled compiled

	principles []Principle
	faults     *Faults
}

// compiled are the templates of the world, in the order of its tables.
type compiled struct {
	asks    []template   // held-out ones behind the others
	remarks []string     // held-out ones behind the others
	hooks   [][]template // by rule, held-out ones behind the others
	breach  [][]template // by rule and phrase class
	clean   [][]template
	facts   [][]template // by topic
}

// New compiles the world.
func New() *World {
	w := &World{rules: rules(), topics: topics(), kinds: kinds(), words: newWordings()}
	c := &w.compiled
	c.asks = parseTemplates(append(append([]string{}, w.words.asks...), w.words.heldOutAsks...))
	c.remarks = append(append([]string{}, w.words.remarks...), w.words.heldOutRemarks...)
	for _, r := range w.rules {
		c.hooks = append(c.hooks, parseTemplates(append(append([]string{}, r.Hooks...), r.HeldOut...)))
		c.breach = append(c.breach, parseTemplates(r.Breaches))
		c.clean = append(c.clean, parseTemplates(r.Cleans))
	}
	for _, t := range w.topics {
		c.facts = append(c.facts, parseTemplates(t.Facts))
	}
	for _, b := range broad() {
		p := Principle{ID: b.id, Broad: true}
		for _, id := range strings.Fields(b.rules) {
			p.Covers = append(p.Covers, w.ruleIndex(id))
		}
		slices.Sort(p.Covers)
		w.principles = append(w.principles, p)
	}
	for i, r := range w.rules {
		w.principles = append(w.principles, Principle{ID: r.ID, Covers: []int{i}})
	}
	w.faults = plant(w)
	return w
}

// Rules are the rules, in a fixed order. The caller does not change them.
func (w *World) Rules() []Rule { return w.rules }

// Faults are the errors that the world's critic, reviser and judge are to make.
func (w *World) Faults() *Faults { return w.faults }

// ruleIndex finds a rule by its id; −1 where there is none.
func (w *World) ruleIndex(id string) int {
	for i, r := range w.rules {
		if r.ID == id {
			return i
		}
	}
	return -1
}

// pick draws one of a list.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// drawn fills a template with new fillers, except for the one that is bound.
func (w *World) drawn(r *rand.Rand, t template, heldOut bool, bound filled) string {
	return t.fill(func(slot string) string {
		if slot == bound.slot {
			return bound.value
		}
		return w.kinds[slot].draw(r, heldOut)
	})
}

// HeldOut lists what training never sees: the fillers, and the longest fixed part of each wording.
func (w *World) HeldOut() []string {
	var out []string
	for _, k := range w.kinds {
		for _, text := range k.all() {
			if k.open && IsHeldOut(text) {
				out = append(out, text)
			}
		}
	}
	wordings := slices.Concat(w.words.heldOutAsks, w.words.heldOutRemarks)
	for _, r := range w.rules {
		wordings = append(wordings, r.HeldOut...)
	}
	for _, t := range parseTemplates(wordings) {
		out = append(out, slices.MaxFunc(t.literals, func(a, b string) int { return len(a) - len(b) }))
	}
	slices.Sort(out)
	return out
}
