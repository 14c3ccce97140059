package models

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// nearest gives the names most like name, at most three, best first: those that hold it or are held by it,
// and those within a third of its length in edits. Case does not count.
func nearest(name string, names []string) []string {
	type scored struct {
		name string
		cost int
	}
	var all []scored
	want := strings.ToLower(name)
	for _, n := range names {
		have := strings.ToLower(n)
		cost := levenshtein.ComputeDistance(want, have)
		if len(want) >= 3 && (strings.Contains(have, want) || strings.Contains(want, have)) {
			cost = 1
		}
		if cost <= max(1, len(want)/3) {
			all = append(all, scored{n, cost})
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(a.cost, b.cost) })
	var out []string
	for _, s := range all[:min(3, len(all))] {
		out = append(out, s.name)
	}
	return out
}
