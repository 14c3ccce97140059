// Package nearest finds what a mistyped name may have meant.
package nearest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// most is how many names are worth showing.
const most = 3

// Names returns the names most like name, at most three, the best first: those
// within about a third of its length in edits, and those that hold it or are held by
// it. Case does not count.
func Names(name string, names []string) []string {
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
			cost = min(cost, 1)
		}
		if cost <= max(1, (len(want)+1)/3) {
			all = append(all, scored{n, cost})
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(a.cost, b.cost) })
	var out []string
	for _, s := range all[:min(most, len(all))] {
		out = append(out, s.name)
	}
	return out
}
