package main

import (
	"math"
	"testing"

	"amend/engine/oracle"
)

// TestPolicyFigures: two seeds of three rows, by hand.
func TestPolicyFigures(t *testing.T) {
	clean, broken := oracle.Answer{InGrammar: true, Facts: 3}, oracle.Answer{InGrammar: true, Facts: 2, Broken: []int{4}}
	other, unreadable := oracle.Answer{InGrammar: true, Facts: 2, Broken: []int{5}}, oracle.Answer{Facts: 1, Doubtful: true}
	before := &runs{ids: []string{"a", "b", "c"}, answers: [][][]oracle.Answer{
		{{clean}, {broken}, {broken}}, {{clean}, {broken}, {clean}},
	}}
	p := &runs{ids: before.ids, answers: [][][]oracle.Answer{
		{{clean, broken}, {broken, clean}, {broken, other}},
		{{clean, clean}, {broken, broken}, {clean, unreadable}},
	}}
	for name, f := range map[string]struct{ got, want float64 }{
		"break a rule":         {p.final(violates, 100).Value, 100 * 3. / 6},
		"less than before":     {p.below(before, violates, 100).Value, 0},
		"useful facts less":    {p.below(before, facts, 1).Value, (15 - 13) / 6.},
		"out of the grammar":   {p.final(unread, 100).Value, 100 / 6.},
		"break one or may":     {p.final(mayViolate, 100).Value, 100 * 4. / 6},
		"made worse":           {p.madeWorse().Value, 100 * 2. / 6}, // one broke a rule that was kept, one another rule than before
		"made worse, one turn": {before.madeWorse().Value, 0},
	} {
		if math.Abs(f.got-f.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, f.got, f.want)
		}
	}
}
