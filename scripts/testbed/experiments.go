package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"amend/engine/oracle"
	"amend/engine/runstore"
	"amend/engine/stats"
	"amend/models/testbed"
)

// resamples of every bootstrap.
const resamples = 2000

// comparison asks of two ways to run what the second does better or worse than the first.
type comparison struct{ claim, first, second string }

// comparisons are the claims of Bai et al. 2022 that scripts/testbed/experiments makes runs for.
func comparisons() []comparison {
	return []comparison{
		{"revising without a critique, against with one", "broad", "nocritique"},
		{"everything kept below each other (append), against starting again (faithful)", "broad", "append"},
		{"eight principles, against one", "one", "broad"},
		{"one rule at a time (narrow), against broad principles", "broad", "narrow"},
	}
}

// runs are the runs of one way, a seed each, with the same rows.
type runs struct {
	ids     []string
	answers [][][]oracle.Answer // by seed, row and round
}

// readRuns reads DIR/NAME-*.
func readRuns(w *testbed.World, dir, name string) (*runs, error) {
	paths, err := filepath.Glob(filepath.Join(dir, name+"-*"))
	if err != nil {
		return nil, fmt.Errorf("looking for runs in %s: %w", dir, err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("there are no runs %s-SEED in %s", name, dir)
	}
	return readRunsAt(w, paths)
}

// readRunsAt reads runs over the same rows.
func readRunsAt(w *testbed.World, paths []string) (*runs, error) {
	out := &runs{}
	for _, path := range paths {
		manifest, rows, err := runstore.Read(path)
		if err != nil {
			return nil, err
		}
		var ids []string
		var all [][]oracle.Answer
		for rec, err := range rows {
			if err != nil {
				return nil, err
			}
			answers, ok := oracle.Answers(w, manifest.Results.Revisions, rec)
			if !ok {
				return nil, fmt.Errorf("%s: row %s failed or is not of the testbed's world", path, rec.ID)
			}
			ids, all = append(ids, rec.ID), append(all, answers)
		}
		if out.ids != nil && !slices.Equal(out.ids, ids) {
			return nil, fmt.Errorf("%s has other rows than the run before it", path)
		}
		out.ids = ids
		out.answers = append(out.answers, all)
	}
	return out, nil
}

func (r *runs) sameRows(other *runs) bool { return slices.Equal(r.ids, other.ids) }

// last is the number of the last round.
func (r *runs) last() int { return len(r.answers[0][0]) - 1 }

// places are those of all rows.
func (r *runs) places() []int {
	out := make([]int, len(r.ids))
	for i := range out {
		out[i] = i
	}
	return out
}

// mean is the mean of a figure over places and seeds, of one round.
func (r *runs) mean(places []int, round int, figure func(oracle.Answer) float64) (sum float64) {
	for _, rows := range r.answers {
		for _, i := range places {
			sum += figure(rows[i][round])
		}
	}
	return sum / float64(len(places)*len(r.answers))
}

func violates(a oracle.Answer) float64 {
	if len(a.Broken) > 0 {
		return 1
	}
	return 0
}

func facts(a oracle.Answer) float64 { return float64(a.Facts) }

// distinct is the share of word triples of a round's texts that occur once only among them.
func (r *runs) distinct(places []int, round int) (mean float64) {
	for _, rows := range r.answers {
		seen, all := map[[3]string]bool{}, 0
		for _, i := range places {
			words := strings.Fields(rows[i][round].Text)
			for j := 0; j+3 <= len(words); j++ {
				seen[[3]string(words[j:j+3])] = true
				all++
			}
		}
		mean += float64(len(seen)) / float64(all) / float64(len(r.answers))
	}
	return mean
}

// writeExperiments writes what runs in dir say, as Markdown.
func writeExperiments(out io.Writer, w *testbed.World, dir string) error {
	broad, err := readRuns(w, dir, "broad")
	if err != nil {
		return err
	}
	n := len(broad.ids)
	fmt.Fprintf(out, "%d prompts, %d seeds; 95 %% intervals by bootstrap over prompts, differences paired.\n\n", n, len(broad.answers))
	fmt.Fprintln(out, "| round | break a rule, % | less than the round before | useful facts | less than the round before |")
	fmt.Fprintln(out, "|---|---|---|---|---|")
	for round := range broad.last() + 1 {
		figure := func(of func(oracle.Answer) float64, scale float64) (string, string) {
			at := stats.Bootstrap(n, resamples, 1, func(p []int) float64 { return scale * broad.mean(p, round, of) })
			if round == 0 {
				return show(at), ""
			}
			return show(at), show(stats.Bootstrap(n, resamples, 1, func(p []int) float64 {
				return scale * (broad.mean(p, round-1, of) - broad.mean(p, round, of))
			}))
		}
		v, dv := figure(violates, 100)
		f, df := figure(facts, 1)
		fmt.Fprintf(out, "| %d | %s | %s | %s | %s |\n", round, v, dv, f, df)
	}
	fmt.Fprintln(out, "\n| compared, after the last round | break a rule, points | useful facts | distinct triples, points |")
	fmt.Fprintln(out, "|---|---|---|---|")
	for _, c := range comparisons() {
		if err := compare(out, w, dir, c); err != nil {
			return err
		}
	}
	return nil
}

// compare writes the second way less the first.
func compare(out io.Writer, w *testbed.World, dir string, c comparison) error {
	first, err := readRuns(w, dir, c.first)
	if err != nil {
		return err
	}
	second, err := readRuns(w, dir, c.second)
	if err != nil {
		return err
	}
	if !first.sameRows(second) {
		return fmt.Errorf("%s and %s have other rows", c.first, c.second)
	}
	a, b, n := first.last(), second.last(), len(first.ids)
	difference := func(of func(oracle.Answer) float64, scale float64) string {
		return show(stats.Bootstrap(n, resamples, 1, func(p []int) float64 { return scale * (second.mean(p, b, of) - first.mean(p, a, of)) }))
	}
	// Without an interval: a bootstrap draws texts twice, and so finds fewer distinct things than there are.
	distinct := 100 * (second.distinct(second.places(), b) - first.distinct(first.places(), a))
	fmt.Fprintf(out, "| %s | %s | %s | %.2f |\n", c.claim, difference(violates, 100), difference(facts, 1), distinct)
	return nil
}

func show(i stats.Interval) string {
	return fmt.Sprintf("%.2f (%.2f to %.2f)", i.Value, i.Low, i.High)
}
