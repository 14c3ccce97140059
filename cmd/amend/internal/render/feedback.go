package render

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"amend/cmd/amend/internal/app"
	"amend/engine/feedback"
	"amend/engine/runstore"
	"amend/engine/stats"
)

// Feedback writes how labelling went, for a person or as JSON.
func Feedback(w io.Writer, s app.FeedbackResult, asJSON bool) error {
	if asJSON {
		return JSON(w, s)
	}
	Field(w, "pairs", fmt.Sprintf("%d, %d of them labelled; %d failed or could not be read", s.Pairs, s.Labelled, s.Failed))
	if s.Alike > 0 {
		Field(w, "left out", fmt.Sprintf("%d rows whose two answers are the same", s.Alike))
	}
	selfTest(w, s.SelfTest)
	Field(w, "judged", fmt.Sprintf("%s judgements in %.1f s, %d pairs were done before; %s", Grouped(s.Asked), s.WallS, s.DoneBefore, s.Settings))
	Field(w, "tokens", fmt.Sprintf("%s of prompts computed, %s reused (%.0f%%); %s decoded",
		Grouped(s.Computed), Grouped(s.Reused), Percent(s.Reused, s.Reused+s.Computed), Grouped(s.Decoded)))
	if s.Compared > 0 {
		Field(w, "edit", fmt.Sprintf("flips %d of %d labels, compared with the settings before", s.Turned, s.Compared))
	}
	Field(w, "labels", filepath.Join(s.Out, runstore.FeedbackFile))
	if s.Report == nil {
		return nil
	}
	fmt.Fprintln(w)
	return feedbackReport(w, *s.Report)
}

func feedbackReport(w io.Writer, r feedback.Report) error {
	line := func(label string, s stats.Share, what string) {
		if s.Of == 0 { // one principle a pair has no other to agree with
			return
		}
		Field(w, label, fmt.Sprintf("%s (%s) %s", Share(s), Interval(s), what))
	}
	Field(w, "invalid", fmt.Sprintf("%d of %d judgements", r.Invalid, r.Judgements))
	line("flips", r.Flips, "of judgements flip when the answers are swapped")
	line("(A)", r.PrefersA, "prefer what is shown first")
	line("agreement", r.Agreement, "of pairs of principles prefer the same answer")
	line("sure", r.Saturated, "of judgements are more than 99 % sure")
	line("longer", r.PrefersLonger, "of labels prefer the longer answer")
	if k := r.Known; k != nil {
		knownReport(w, *k)
	}
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "principle\tjudged\tflips\tright\t")
	for _, p := range r.Principles {
		right := "–"
		if p.Accuracy != nil {
			right = fmt.Sprintf("%s (%s)", Share(*p.Accuracy), Interval(*p.Accuracy))
		}
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t\n", p.Principle, p.Judged, Share(p.Flips), right)
	}
	if err := tw.Flush(); err != nil || r.Known == nil {
		return err
	}
	return reliability(w, *r.Known)
}

// knownReport writes what the labels are worth by what is known of the pairs.
func knownReport(w io.Writer, k feedback.Known) {
	points := func(i stats.Interval) string {
		return fmt.Sprintf("%+.2f points (%+.2f to %+.2f)", 100*i.Value, 100*i.Low, 100*i.High)
	}
	fmt.Fprintf(w, "\nagainst what is known of %d pairs\n", k.Decided)
	Field(w, "right", fmt.Sprintf("%.1f%% (%.1f–%.1f) of labels", 100*k.Accuracy, 100*k.AccuracyCI[0], 100*k.AccuracyCI[1]))
	averaged := func(label string, a feedback.Averaged, what string) {
		Field(w, label, fmt.Sprintf("%s (%s) right with one; %s gain %s, in the half with small margins %s",
			Share(a.One), Interval(a.One), what, points(a.Gain), points(a.Small.Gain)))
	}
	averaged("order", k.Orders, "both averaged")
	averaged("principle", k.OfPrinciples, "all averaged")
	Field(w, "length", fmt.Sprintf("%s right where the better answer is the longer one, %s where it is the shorter", Share(k.Longer), Share(k.Shorter)))
	for _, t := range k.Tags {
		Field(w, "tag", fmt.Sprintf("%s (%s) right of the %d pairs with %s", Share(t.Accuracy), Interval(t.Accuracy), t.Accuracy.Of, t.Tag))
	}
	Field(w, "unanimous", fmt.Sprintf("%s right where all judgements of a pair agree (%d pairs), %s where they do not", Share(k.Agreeing), k.Agreeing.Of, Share(k.Divided)))
	Field(w, "error", fmt.Sprintf("ECE %.3f, Brier %.3f, %s", k.ECE, k.Brier, skill("skill over the base rate", k.Skill, k.Reliability)))
	if c := k.Calibrated; c != nil {
		Field(w, "tempered", fmt.Sprintf("at %.2f, fitted on %d other pairs: ECE %.3f, Brier %.3f, %s, over %d pairs",
			c.Temperature, c.Fitted, c.ECE, c.Brier, skill("skill", c.Skill, c.Reliability), c.Reported))
	}
}

// skill says what labels remove of the base rate's error. Where one side is the better one in all pairs, that has none.
func skill(name string, s float64, reliability []feedback.Bin) string {
	yes := slices.ContainsFunc(reliability, func(b feedback.Bin) bool { return b.Pairs > 0 && b.Share > 0 })
	no := slices.ContainsFunc(reliability, func(b feedback.Bin) bool { return b.Pairs > 0 && b.Share < 1 })
	if yes && no {
		return fmt.Sprintf("%s %.2f", name, s)
	}
	return "no " + name + ": one side is better in all pairs"
}

// reliability writes how often labels of a probability turn out true.
func reliability(w io.Writer, k feedback.Known) error {
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "probability\tpairs\tmean\ttrue\t")
	for _, b := range k.Reliability {
		if b.Pairs > 0 {
			fmt.Fprintf(tw, "%.1f–%.1f\t%d\t%.3f\t%.3f\t\n", b.Low, b.High, b.Pairs, b.P, b.Share)
		}
	}
	return tw.Flush()
}
