package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"amend/cmd/amend/internal/render"
	"amend/engine"
	"amend/engine/feedback"
	"amend/engine/runstore"
	"amend/engine/stats"
)

// feedbackSummary is what `amend feedback --json` prints, with the report where that was asked for. Tokens and times are of this
// process.
type feedbackSummary struct {
	Out        string  `json:"out"`
	Pairs      int     `json:"pairs"`
	Labelled   int     `json:"labelled"` // with a valid judgement in both orders under some principle
	Failed     int     `json:"failed"`   // that could not be judged, or read
	Judge      string  `json:"judge"`    // name
	Settings   string  `json:"settings"`
	DoneBefore int     `json:"done_before"`
	Asked      int     `json:"asked"` // judgements that this command computed
	Alike      int     `json:"alike"` // rows of a run whose two answers are the same
	Computed   int     `json:"prefill_tokens_computed"`
	Reused     int     `json:"prefill_tokens_reused"`
	Decoded    int     `json:"decode_tokens"`
	WallS      float64 `json:"wall_s"`
	// Turned is how many labels prefer another answer than by the constitution before, of Compared pairs that both have labels
	// of; both are 0 where this command labelled nothing by another constitution.
	Turned   int          `json:"turned"`
	Compared int          `json:"compared"`
	Failures []rowFailure `json:"failures"`
	*feedback.Report
}

// summarize says how the labelling went, and with --report what the labels are worth.
func (l *labelling) summarize(w io.Writer) error {
	var stats engine.Stats // none where nothing was left to do
	if l.engine != nil {
		stats = l.engine.Stats()
	}
	s := feedbackSummary{
		Out: l.dir, Pairs: len(l.pairs), Judge: l.file.Name, Settings: l.settings(), DoneBefore: len(l.pairs) - len(l.todo), Asked: l.store.Remembered(), Alike: l.alike,
		Computed: stats.Prefilled, Reused: stats.Reused, Decoded: stats.Decoded, WallS: time.Since(l.started).Seconds(), Failures: []rowFailure{},
	}
	for _, bad := range l.bad {
		s.Failures = append(s.Failures, rowFailure{Row: bad.File, Line: bad.Line, Why: bad.Reason})
	}
	var labels []feedback.Label
	valid, judgements := 0, 0
	for _, p := range l.pairs {
		label, ok := l.store.Label(p)
		if !ok {
			s.Failures = append(s.Failures, rowFailure{Row: p.ID, Why: l.failed[p.ID]})
			continue
		}
		labels = append(labels, label)
		if label.P != nil {
			s.Labelled++
		}
		for _, j := range label.Judgements {
			judgements++
			if !j.Invalid {
				valid++
			}
		}
	}
	s.Failed = len(s.Failures)
	if valid*2 < judgements {
		l.log.Warn("this judge mostly says something else than (A) or (B): give another one, worked judgements in the constitution, or a lower --min-mass",
			"valid judgements", valid, "of", judgements)
	}
	var err error
	if s.Turned, s.Compared, err = l.edited(); err != nil {
		return err
	}
	if l.options.report {
		r := feedback.NewReport(l.pairs, labels, l.truth)
		s.Report = &r
	}
	if l.options.json {
		err = render.JSON(w, s)
	} else {
		err = printFeedback(w, s)
	}
	if err == nil && s.Failed > 0 {
		return &exitError{exitRowsFailed, fmt.Errorf("%d of %d pairs could not be judged or read; the first: %s", s.Failed, len(l.pairs)+len(l.bad), s.Failures[0].Why)}
	}
	return err
}

func printFeedback(w io.Writer, s feedbackSummary) error {
	render.Field(w, "pairs", fmt.Sprintf("%d, %d of them labelled; %d failed or could not be read", s.Pairs, s.Labelled, s.Failed))
	if s.Alike > 0 {
		render.Field(w, "left out", fmt.Sprintf("%d rows whose two answers are the same", s.Alike))
	}
	render.Field(w, "judged", fmt.Sprintf("%s judgements in %.1f s, %d pairs were done before; %s", render.Grouped(s.Asked), s.WallS, s.DoneBefore, s.Settings))
	render.Field(w, "tokens", fmt.Sprintf("%s of prompts computed, %s reused (%.0f%%); %s decoded",
		render.Grouped(s.Computed), render.Grouped(s.Reused), render.Percent(s.Reused, s.Reused+s.Computed), render.Grouped(s.Decoded)))
	if s.Compared > 0 {
		render.Field(w, "edit", fmt.Sprintf("turns %d of %d labels around, against the settings before", s.Turned, s.Compared))
	}
	render.Field(w, "labels", filepath.Join(s.Out, runstore.FeedbackFile))
	if s.Report == nil {
		return nil
	}
	fmt.Fprintln(w)
	return printFeedbackReport(w, *s.Report)
}

func printFeedbackReport(w io.Writer, r feedback.Report) error {
	line := func(label string, s stats.Share, what string) {
		if s.Of == 0 { // one principle a pair has no other to agree with
			return
		}
		render.Field(w, label, fmt.Sprintf("%s (%s) %s", render.Share(s), render.Interval(s), what))
	}
	render.Field(w, "invalid", fmt.Sprintf("%d of %d judgements", r.Invalid, r.Judgements))
	line("flips", r.Flips, "of judgements prefer another answer in the other order")
	line("(A)", r.PrefersA, "prefer what is shown first")
	line("agreement", r.Agreement, "of twos of principles prefer the same answer")
	line("sure", r.Saturated, "of judgements are more than 99 % sure")
	line("longer", r.PrefersLonger, "of labels prefer the longer answer")
	if k := r.Known; k != nil {
		printKnown(w, *k)
	}
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "principle\tjudged\tflips\tright\t")
	for _, p := range r.Principles {
		right := "–"
		if p.Accuracy != nil {
			right = fmt.Sprintf("%s (%s)", render.Share(*p.Accuracy), render.Interval(*p.Accuracy))
		}
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t\n", p.Principle, p.Judged, render.Share(p.Flips), right)
	}
	if err := tw.Flush(); err != nil || r.Known == nil {
		return err
	}
	return printReliability(w, *r.Known)
}

// printKnown writes what the labels are worth by what is known of the pairs.
func printKnown(w io.Writer, k feedback.Known) {
	points := func(i stats.Interval) string {
		return fmt.Sprintf("%+.2f points (%+.2f to %+.2f)", 100*i.Value, 100*i.Low, 100*i.High)
	}
	fmt.Fprintf(w, "\nagainst what is known of %d pairs\n", k.Decided)
	render.Field(w, "right", fmt.Sprintf("%.1f%% (%.1f–%.1f) of labels", 100*k.Accuracy, 100*k.AccuracyCI[0], 100*k.AccuracyCI[1]))
	averaged := func(label string, a feedback.Averaged, what string) {
		render.Field(w, label, fmt.Sprintf("%s (%s) right with one; %s gain %s, in the half with small margins %s",
			render.Share(a.One), render.Interval(a.One), what, points(a.Gain), points(a.Small.Gain)))
	}
	averaged("order", k.Orders, "both averaged")
	averaged("principle", k.OfPrinciples, "all averaged")
	render.Field(w, "length", fmt.Sprintf("%s right where the better answer is the longer one, %s where it is the shorter", render.Share(k.Longer), render.Share(k.Shorter)))
	render.Field(w, "unanimous", fmt.Sprintf("%s right where all judgements of a pair agree (%d pairs), %s where they do not", render.Share(k.Agreeing), k.Agreeing.Of, render.Share(k.Divided)))
	render.Field(w, "error", fmt.Sprintf("ECE %.3f, Brier %.3f, %s", k.ECE, k.Brier, skill("skill over the base rate", k.Skill, k.Reliability)))
	if c := k.Calibrated; c != nil {
		render.Field(w, "tempered", fmt.Sprintf("at %.2f, fitted on %d other pairs: ECE %.3f, Brier %.3f, %s, over %d pairs",
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
	return "no " + name + ", since one side is better in all pairs"
}

// printReliability writes how often labels of a probability turn out true.
func printReliability(w io.Writer, k feedback.Known) error {
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
