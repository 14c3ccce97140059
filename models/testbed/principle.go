package testbed

import "slices"

// Principle is what the constitution testbed asks of a response: the rules that a principle covers. Its texts are in
// that constitution, under the same id.
type Principle struct {
	ID     string
	Covers []int // indexes in Rules, ascending
	Broad  bool  // covers several rules; a narrow principle is one rule, under the rule's id
}

// broad lists the broad principles and the rules they cover. Each rule is covered by at least half of them.
func broad() []struct{ id, rules string } {
	return []struct{ id, rules string }{
		{"harmless", "dignity safety health law fairness children nature"},
		{"respectful", "privacy dignity health fairness children candour identity"},
		{"truthful", "honesty health fairness money candour identity"},
		{"lawful", "privacy safety law money children candour nature"},
		{"careful", "honesty safety health law money children nature"},
		{"considerate", "privacy dignity law fairness candour nature"},
		{"trustworthy", "privacy honesty law money candour identity"},
		{"wise", "honesty dignity safety fairness money identity"},
	}
}

// Principles are the principles of the constitution testbed: the broad ones, then one for each rule.
func (w *World) Principles() []Principle { return w.principles }

// Principle finds a principle by its id.
func (w *World) Principle(id string) (Principle, bool) {
	i := slices.IndexFunc(w.principles, func(p Principle) bool { return p.ID == id })
	if i < 0 {
		return Principle{}, false
	}
	return w.principles[i], true
}

// CoversRule reports whether the principle covers a rule.
func (p Principle) CoversRule(rule int) bool { return slices.Contains(p.Covers, rule) }
