package local

import (
	"path/filepath"
	"testing"

	"amend/constitution"
	"amend/engine/revise"
)

// overlay is a layer on the testbed's constitution that changes weights.
var overlay = filepath.Join("..", "..", "..", "..", "examples", "testbed-overlay.yaml")

// rareOf7 is chi-squared's quantile of 99.9 % with 7 degrees of freedom (Abramowitz and Stegun 1964, table 26.8).
const rareOf7 = 24.32

// TestReweighting: what an overlay re-weights is drawn in a run as often as it says.
func TestReweighting(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for half a minute")
	}
	run := openBed(t).under(t, []string{overlay}, "broad")
	if x := run.chiSquared(func(p constitution.Principle) float64 { return run.doc.Share(p.ID) }); x > rareOf7 {
		t.Errorf("the draws are not by weight: chi-squared %.1f", x)
	}
	if x := run.chiSquared(func(constitution.Principle) float64 { return 1. / 8 }); x < rareOf7 {
		t.Errorf("the draws could be even ones: chi-squared %.1f", x)
	}
}

// ruled is a run under a constitution.
type ruled struct {
	doc     *constitution.Document
	records []revise.Record
}

// under runs all rows, four rounds, with the principles of a tag.
func (b *bed) under(t *testing.T, layers []string, tag string) ruled {
	t.Helper()
	doc, err := constitution.Load(layers...)
	if err != nil {
		t.Fatal(err)
	}
	if doc, err = doc.Select([]string{tag}); err != nil {
		t.Fatal(err)
	}
	b.doc = doc
	return ruled{doc, b.loop(t, b.rows, 4, 1)}
}

// chiSquared compares how often each principle was drawn with the shares that they should have (Pearson 1900).
func (r ruled) chiSquared(share func(constitution.Principle) float64) (x float64) {
	drawn, all := map[string]int{}, 0
	for _, rec := range r.records {
		for _, turn := range rec.Turns {
			if turn.Kind == revise.Revision {
				drawn[turn.Principle]++
				all++
			}
		}
	}
	for _, p := range r.doc.Principles {
		want := share(p) * float64(all)
		x += (float64(drawn[p.ID]) - want) * (float64(drawn[p.ID]) - want) / want
	}
	return x
}
