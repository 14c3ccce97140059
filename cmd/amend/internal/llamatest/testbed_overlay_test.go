package llamatest

import (
	"path/filepath"
	"slices"
	"testing"

	"amend/constitution"
	"amend/engine/oracle"
	"amend/engine/revise"
	"amend/engine/stats"
	"amend/models/testbed"
)

// overlay is the layer that docs/testbed.md measures layers with, and what it switches off.
var overlay = filepath.Join("..", "..", "..", "..", "examples", "testbed-overlay.yaml")

// resamples of every bootstrap here.
const resamples = 2000

// rounds of critique and revision in every run here: as many as amend run does where it is not told.
const rounds = 2

// Chi-squared's quantiles of 99.9 %, by degrees of freedom (Abramowitz and Stegun 1964, table 26.8).
const (
	rareOf7 = 24.32
	rareOf8 = 26.12
)

// clearRows are enough for an interval of a fall to lie below zero. Of fewer only the fall itself is asked: the three break
// a rule in a sixth of the rows, and two rounds under nine narrow principles correct few of them.
const clearRows = 1000

// TestOverlay: with one narrow principle a round, an overlay that switches three of them off leaves the breaches of
// these three as they were at first, and the others fall as without it.
//
//	scripts/go test ./cmd/amend/internal/llamatest -run TestOverlay -v -args -testbed.rows 2000
func TestOverlay(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for a minute")
	}
	b := openBed(t)
	plain, layered := b.under(t, []string{testbed.Name}, "narrow"), b.under(t, []string{overlay}, "narrow")
	off, rest := b.switchedOff(t, layered.doc)
	for _, of := range []struct {
		what  string
		run   ruled
		rules []int
		falls bool
	}{
		{"the three, without the overlay", plain, off, true},
		{"the others, without it", plain, rest, true},
		{"the three, switched off", layered, off, false},
		{"the others, with the overlay", layered, rest, true},
	} {
		first, last := of.run.share(of.rules, 0), of.run.share(of.rules, rounds)
		change := of.run.change(of.rules)
		t.Logf("%s: %.1f (%.1f to %.1f), after %d rounds %.1f; change %.1f (%.1f to %.1f) points", of.what,
			first.Value, first.Low, first.High, rounds, last.Value, change.Value, change.Low, change.High)
		highest := change.High
		if len(b.rows) < clearRows {
			highest = change.Value
		}
		if of.falls && highest >= 0 {
			t.Errorf("%s: do not fall, or not clearly: %+v", of.what, change)
		}
		if !of.falls && beyond(stats.Share{Share: last.Value}, stats.Share{Share: first.Value, Low: first.Low, High: first.High}) {
			t.Errorf("%s: %.2f after the rounds, far outside the first responses' interval %+v", of.what, last.Value, first)
		}
	}
	if x := layered.chiSquared(func(p constitution.Principle) float64 { return 1. / 9 }); x > rareOf8 {
		t.Errorf("nine principles of weight 0 are not drawn evenly: chi-squared %.1f", x)
	}
}

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

// ruled is a run under a constitution, and what the oracle reads in it.
type ruled struct {
	doc     *constitution.Document
	records []revise.Record
	answers [][]oracle.Answer // by row and round
}

// under runs all rows with the principles of a tag.
func (b *testbedRun) under(t *testing.T, layers []string, tag string) ruled {
	t.Helper()
	doc, err := constitution.Load(layers...)
	if err != nil {
		t.Fatal(err)
	}
	if doc, err = doc.Select([]string{tag}); err != nil {
		t.Fatal(err)
	}
	b.doc = doc
	out := ruled{doc: doc, records: b.loop(t, b.rows, rounds, 1)}
	for _, rec := range out.records {
		answers, ok := oracle.Answers(b.truth, rounds, rec)
		if !ok {
			t.Fatalf("row %s: %s", rec.ID, rec.Error)
		}
		out.answers = append(out.answers, answers)
	}
	return out
}

// switchedOff are the rules whose narrow principles a layer switched off, and the others.
func (b *testbedRun) switchedOff(t *testing.T, doc *constitution.Document) (off, rest []int) {
	t.Helper()
	for i, rule := range b.truth.Rules() {
		if slices.ContainsFunc(doc.Off, func(p constitution.Principle) bool { return p.ID == rule.ID }) {
			off = append(off, i)
		} else {
			rest = append(rest, i)
		}
	}
	if len(off) != 3 {
		t.Fatalf("the overlay switches %d rules off", len(off))
	}
	return off, rest
}

// percent of the answers at these places break one of the rules in a round.
func (r ruled) percent(places, rules []int, round int) float64 {
	n := 0
	for _, i := range places {
		if slices.ContainsFunc(r.answers[i][round].Broken, func(rule int) bool { return slices.Contains(rules, rule) }) {
			n++
		}
	}
	return 100 * float64(n) / float64(len(places))
}

func (r ruled) share(rules []int, round int) stats.Interval {
	return stats.Bootstrap(len(r.answers), resamples, 1, func(places []int) float64 { return r.percent(places, rules, round) })
}

// change is what the rounds did, paired by row.
func (r ruled) change(rules []int) stats.Interval {
	return stats.Bootstrap(len(r.answers), resamples, 1, func(places []int) float64 {
		return r.percent(places, rules, rounds) - r.percent(places, rules, 0)
	})
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
