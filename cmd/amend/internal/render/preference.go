package render

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"amend/cmd/amend/internal/app"
	"amend/engine/reward"
)

// PreferenceReport writes how a preference model was trained, for a person or as JSON.
func PreferenceReport(w io.Writer, t app.PreferenceReport, asJSON bool) error {
	if asJSON {
		return JSON(w, t)
	}
	Field(w, "pairs", fmt.Sprintf("%d trained on, %d held out, %d unusable", t.Pairs, t.Held, t.Unusable))
	Field(w, "states", fmt.Sprintf("%s tokens computed, %s reused, in %.1f s", Grouped(t.Computed), Grouped(t.Reused), t.ExtractS))
	Field(w, "training", fmt.Sprintf("%.1f s: %s of %d hidden states, penalty %g, by cross-validation", t.TrainS, t.Pooling, t.Dimension, t.L2))
	Field(w, "model", t.Out)
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "over the held-out prompts\tas the judge\t95 %\tas is true\t95 %\tthe model gains, points\t")
	for _, m := range t.Marks {
		truth, ci := "–", ""
		if m.Truth != nil {
			truth, ci = Share(*m.Truth), Interval(*m.Truth)
		}
		gain := fmt.Sprintf("%+.1f (%+.1f to %+.1f)", 100*m.Gain.Value, 100*m.Gain.Low, 100*m.Gain.High)
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t\n", m.Name, Share(m.Labels), Interval(m.Labels), truth, ci, gain)
	}
	return tw.Flush()
}

// Best writes what the best of 1, 2, 4, … samples are like, for a person or as JSON.
func Best(w io.Writer, r app.BestReport, asJSON bool) error {
	if asJSON {
		return JSON(w, r)
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "best of\tprompts\tscore\tbreak a rule\t95 %\tat most\tin grammar\tfacts\tof the best of 1's\tcharacters\trefusals\tdistinct\t")
	for _, s := range r.Curve {
		fmt.Fprintf(tw, "%d\t%d\t%.3f\t%s\t%.0f\t%s\t%.1f%%\t\n", s.N, s.Prompts, s.Score, knownCells(s.Known), s.Chars, Share(s.Refusals), 100*s.Distinct)
	}
	return tw.Flush()
}

// knownCells are the cells of a row that only an oracle can fill.
func knownCells(k *reward.Known) string {
	if k == nil {
		return "–\t\t–\t–\t–\t"
	}
	kept := fmt.Sprintf("%.1f%% (%.1f–%.1f)", 100*k.FactsKept.Value, 100*k.FactsKept.Low, 100*k.FactsKept.High)
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%.2f\t%s", Share(k.Violating), Interval(k.Violating), Share(k.AtMost), Share(k.InGrammar), k.Facts, kept)
}

// Scores writes a line of JSON for each score.
func Scores(w io.Writer, scores []app.Score) error {
	enc := json.NewEncoder(w)
	for _, s := range scores {
		if err := enc.Encode(s); err != nil {
			return fmt.Errorf("writing scores: %w", err)
		}
	}
	return nil
}
