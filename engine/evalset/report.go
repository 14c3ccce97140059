package evalset

import (
	"maps"
	"slices"

	"amend/engine/stats"
)

// Report has a model's figures on a set. Intervals are of 95 % and draw whole conversations.
type Report struct {
	Items  int `json:"items"`  // with a result
	Failed int `json:"failed"` // that no figure counts
	Cut    int `json:"cut"`    // answers that ended at the limit of tokens
	// Results are the figures under their names in the field.
	Results map[string]stats.Share `json:"results"`
	// Categories are the same figures of the items of each category, where the set has such.
	Categories []Category `json:"categories,omitempty"`
}

// Category is the figures of the items of one category.
type Category struct {
	Category string                 `json:"category"`
	Items    int                    `json:"items"`
	Results  map[string]stats.Share `json:"results"`
}

// NewReport counts the figures of items by their results, which have the items' ids. Items without a result are left out.
// declined says whether an answer declines, and whether that can be said of it.
func NewReport(set Set, items []Item, results map[string]Result, declined func(string) (declined, judged bool)) Report {
	var whole tally
	categories := map[string]*tally{}
	r := Report{}
	for _, it := range items {
		res, ok := results[it.ID]
		switch {
		case !ok:
			continue
		case res.Error != "":
			r.Failed++
			continue
		case res.Cut:
			r.Cut++
		}
		c := categories[it.Category]
		if c == nil {
			c = &tally{}
			categories[it.Category] = c
		}
		for _, t := range []*tally{&whole, c} {
			t.add(it.Group(), figures(set, it, res, declined))
		}
	}
	r.Items, r.Results = whole.items, whole.shares()
	if _, one := categories[""]; one && len(categories) == 1 {
		return r
	}
	for _, name := range slices.Sorted(maps.Keys(categories)) {
		c := categories[name]
		r.Categories = append(r.Categories, Category{Category: name, Items: c.items, Results: c.shares()})
	}
	return r
}

// tally adds up figures.
type tally struct {
	items   int
	figures map[string]*stats.Clusters
}

func (t *tally) add(group string, figures map[string]float64) {
	t.items++
	if t.figures == nil {
		t.figures = map[string]*stats.Clusters{}
	}
	for name, value := range figures {
		if t.figures[name] == nil {
			t.figures[name] = &stats.Clusters{}
		}
		t.figures[name].Add(group, value)
	}
}

func (t *tally) shares() map[string]stats.Share {
	out := map[string]stats.Share{}
	for name, c := range t.figures {
		out[name] = c.Share()
	}
	return out
}
