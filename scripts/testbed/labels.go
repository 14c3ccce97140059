package main

import (
	"fmt"
	"io"

	"amend/engine/feedback"
	"amend/engine/oracle"
	"amend/engine/runstore"
	"amend/engine/stats"
	"amend/models/testbed"
)

// writeLabels says what the labels of runs are worth by the oracle, of each run and of all together, as Markdown. The runs are of
// the same prompts, with a seed each.
func writeLabels(out io.Writer, w *testbed.World, dirs []string) error {
	truth := func(in feedback.Pair, principle string) feedback.Preference {
		return oracle.Preference(w, in, principle)
	}
	var all labels
	fmt.Fprintln(out, "| run | pairs | decided | right, % | both orders gain | with small margins | principles gain | with small margins | ECE, Brier, skill | temperature | reported | ECE, Brier, skill |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|---|---|")
	for _, dir := range dirs {
		one, err := readLabels(dir)
		if err != nil {
			return err
		}
		all.add(one)
		if len(dirs) > 1 {
			one.write(out, dir, truth)
		}
	}
	all.write(out, "all", truth)
	return nil
}

type labels struct {
	pairs  []feedback.Pair
	labels []feedback.Label
}

// readLabels reads those of a run. Pairs get the run's name into their ids, which then differ between runs.
func readLabels(dir string) (l labels, err error) {
	set, err := runstore.ReadFeedback(dir)
	if err != nil {
		return l, err
	}
	for in, err := range set.Labels {
		if err != nil {
			return l, err
		}
		id := dir + " " + in.Pair.ID
		in.Pair.ID, in.Label.ID = id, id
		l.pairs, l.labels = append(l.pairs, in.Pair), append(l.labels, in.Label)
	}
	return l, nil
}

func (l *labels) add(o labels) {
	l.pairs, l.labels = append(l.pairs, o.pairs...), append(l.labels, o.labels...)
}

func (l *labels) write(out io.Writer, name string, truth feedback.Truth) {
	k := feedback.NewReport(l.pairs, l.labels, truth).Known
	if k == nil {
		fmt.Fprintf(out, "| %s | %d | 0 |\n", name, len(l.pairs))
		return
	}
	error3 := func(ece, brier, skill float64) string { return fmt.Sprintf("%.3f, %.3f, %.2f", ece, brier, skill) }
	fmt.Fprintf(out, "| %s | %d | %d | %s | %s | %s | %s | %s | %s |", name, len(l.pairs), k.Decided,
		points(stats.Interval{Value: k.Accuracy, Low: k.AccuracyCI[0], High: k.AccuracyCI[1]}),
		points(k.Orders.Gain), points(k.Orders.Small.Gain), points(k.OfPrinciples.Gain), points(k.OfPrinciples.Small.Gain), error3(k.ECE, k.Brier, k.Skill))
	if c := k.Calibrated; c != nil {
		fmt.Fprintf(out, " %.2f | %d | %s |", c.Temperature, c.Reported, error3(c.ECE, c.Brier, c.Skill))
	}
	fmt.Fprintln(out)
}
