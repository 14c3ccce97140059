package app

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"amend/cmd/amend/internal/failure"
	"amend/engine/revise"
)

// FindRow returns the row that name means: an id, a number, or the beginning of one id, in that order.
func FindRow(run StoredRun, name string) (revise.Record, error) {
	index, err := strconv.Atoi(name)
	numeric := err == nil
	var numbered, begun *revise.Record
	var ids, starts []string
	for rec, err := range run.Rows {
		if err != nil {
			return rec, err
		}
		if rec.ID == name {
			return rec, nil
		}
		if numeric && rec.Index == index {
			numbered = &rec
		}
		if strings.HasPrefix(rec.ID, name) {
			starts = append(starts, rec.ID)
			begun = &rec
		}
		ids = append(ids, rec.ID)
	}
	switch {
	case numbered != nil:
		return *numbered, nil
	case len(starts) == 1:
		return *begun, nil
	case len(starts) > 1:
		return revise.Record{}, failure.Inputf("%s has %d rows whose id begins with %q (%s): give more of the id", run.Dir, len(starts), name, firstOf(starts))
	}
	return revise.Record{}, noRow(run.Dir, name, ids)
}

// noRow is the error for a name that no row has. It lists similar ids.
func noRow(dir, name string, ids []string) error {
	if len(ids) == 0 {
		return failure.Inputf("%s has no finished rows yet", dir)
	}
	hint := ""
	if near := similarIDs(name, ids); len(near) > 0 {
		hint = "; the nearest are " + firstOf(near)
	}
	if _, err := strconv.Atoi(name); err == nil {
		hint = "; their numbers begin with 0"
	}
	return failure.Inputf("%s has no finished row %q among its %d%s (amend show %s lists them)", dir, name, len(ids), hint, dir)
}

// mostNames is how many names a message lists.
const mostNames = 3

// firstOf lists the first few of many names.
func firstOf(names []string) string {
	if len(names) > mostNames {
		return strings.Join(names[:mostNames], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// similarIDs returns the few ids whose beginning and end share the most with name, and at least half of it. Edits, which
// package nearest counts, tell little about ids: many are hashes of equal length.
func similarIDs(name string, ids []string) []string {
	shared := func(id string) int {
		start, end := 0, 0
		shorter := min(len(id), len(name))
		for start < shorter && id[start] == name[start] {
			start++
		}
		for start+end < shorter && id[len(id)-1-end] == name[len(name)-1-end] {
			end++
		}
		return start + end
	}
	near := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return 2*shared(id) < len(name) })
	slices.SortStableFunc(near, func(a, b string) int { return cmp.Compare(shared(b), shared(a)) })
	return near[:min(mostNames, len(near))]
}
