package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"amend/engine/feedback"
	"amend/engine/oracle"
	"amend/engine/stats"
	"amend/models/testbed"
)

// writeJudges compares ways to judge the same pairs, each with the first one, as Markdown. A way is the folders of its
// labels, one for each seed, separated by commas.
func writeJudges(out io.Writer, w *testbed.World, all []string) error {
	if len(all) < 2 {
		return errors.New("judges wants the labels of two ways to judge or more")
	}
	truth := func(in feedback.Pair, principle string) feedback.Preference {
		return oracle.Preference(w, in, principle)
	}
	fmt.Fprintln(out, "| judge | decided pairs | right, % | more than the first, points | a single order, % | skill | flips, % |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|")
	var first map[string]marked
	for i, one := range all {
		var of labels
		right := map[string]marked{}
		for seed, dir := range strings.Split(one, ",") {
			l, err := readLabels(dir)
			if err != nil {
				return err
			}
			for k, pair := range l.pairs {
				if m, ok := markLabel(pair, l.labels[k], truth); ok {
					right[fmt.Sprint(seed, strings.TrimPrefix(pair.ID, dir))] = m
				}
			}
			of.add(l)
		}
		if i == 0 {
			first = right
		}
		r := feedback.NewReport(of.pairs, of.labels, truth)
		if r.Known == nil {
			return fmt.Errorf("%s: the oracle prefers neither response of any pair", one)
		}
		mean, more, err := gained(right, first)
		if err != nil {
			return fmt.Errorf("%s: %w", one, err)
		}
		than := ""
		if i > 0 {
			than = points(more)
		}
		fmt.Fprintf(out, "| %s | %d | %s | %s | %.1f | %.2f | %.0f |\n", filepath.Base(one), r.Known.Decided, points(mean), than,
			100*r.Known.Orders.One.Share, r.Known.Skill, 100*r.Flips.Share)
	}
	return nil
}

// marked is how far a label is right: 1, 0 or a half.
type marked struct {
	prompt string
	right  float64
}

// markLabel marks a label by the oracle; ok is false where there is none, or the oracle prefers neither response.
func markLabel(in feedback.Pair, l feedback.Label, truth feedback.Truth) (m marked, ok bool) {
	better := truth(in, "")
	if l.P == nil || better != feedback.First && better != feedback.Second {
		return m, false
	}
	m = marked{feedback.PromptHash(in.Messages), 0.5}
	switch {
	case *l.P > 0.5 == (better == feedback.First) && *l.P != 0.5:
		m.right = 1
	case *l.P != 0.5:
		m.right = 0
	}
	return m, true
}

// gained is the mean of marks, and by how much they are above others of the same pairs.
func gained(right, others map[string]marked) (mean, more stats.Interval, err error) {
	var all, above stats.Clusters
	for _, id := range slices.Sorted(maps.Keys(right)) {
		m := right[id]
		other, ok := others[id]
		if !ok {
			return mean, more, fmt.Errorf("pair %s is not among the first one's", id)
		}
		all.Add(m.prompt, m.right)
		above.Add(m.prompt, m.right-other.right)
	}
	return all.Mean(), above.Mean(), nil
}

// points is an interval of shares in percent.
func points(i stats.Interval) string {
	return fmt.Sprintf("%.1f (%.1f to %.1f)", 100*i.Value, 100*i.Low, 100*i.High)
}
