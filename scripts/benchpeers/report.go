package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// report has the shape of amend bench's, with what the runs in turns add.
type report struct {
	amendReport
	// Ratios are medians, over the turns, of each variant's wall time to amend's
	// of the same turn: how many times faster amend is. RatioRanges are the least
	// and most.
	Ratios      map[string]float64    `json:"ratios"`
	RatioRanges map[string][2]float64 `json:"ratio_ranges"`
	Sweep       []sweepEntry          `json:"sweep,omitempty"`
}

// sweepEntry is one configuration of the sweep. Of a run that was stopped the
// estimate is what it exceeded.
type sweepEntry struct {
	Name      string  `json:"name"`
	Rows      int     `json:"rows"` // that were run
	EstimateS float64 `json:"estimate_s"`
	Stopped   bool    `json:"stopped,omitempty"`
	Failed    bool    `json:"failed,omitempty"` // it did not run; why was said then
}

func newSweepEntry(s swept) sweepEntry {
	return sweepEntry{Name: s.name(), Rows: s.rows, EstimateS: s.estimate, Stopped: s.stopped, Failed: s.failed}
}

// ours is the name of the variant that all others are compared with.
const ours = "amend"

// newReport puts the turns together; each has the variants that ran in it, one
// of them amend. first is what amend bench reported of the first.
func newReport(first *amendReport, turns [][]variant) *report {
	r := &report{amendReport: *first, Ratios: map[string]float64{}, RatioRanges: map[string][2]float64{}}
	r.Variants = nil
	var names []string
	runs, ratios := map[string][]variant{}, map[string][]float64{}
	for _, turn := range turns {
		base := turn[slices.IndexFunc(turn, func(v variant) bool { return v.Name == ours })]
		for _, v := range turn {
			if runs[v.Name] == nil {
				names = append(names, v.Name)
			}
			runs[v.Name] = append(runs[v.Name], v)
			ratios[v.Name] = append(ratios[v.Name], v.WallSPerRow/base.WallSPerRow)
		}
	}
	for _, name := range names {
		r.Variants = append(r.Variants, together(runs[name]))
		if name != ours {
			r.Ratios[name] = median(ratios[name])
			r.RatioRanges[name] = [2]float64{slices.Min(ratios[name]), slices.Max(ratios[name])}
		}
	}
	return r
}

// together is a variant's median over its runs; counts are the first run's.
func together(runs []variant) variant {
	var walls []float64
	for _, v := range runs {
		walls = append(walls, v.WallS)
	}
	v := runs[0]
	v.WallS = median(walls)
	v.WallSPerRow = v.WallS / float64(v.Rows)
	v.DecodeTokS = float64(v.Decoded) / v.WallS
	v.TextCounts = v.over(v.WallS)
	v.Runs, v.MinS, v.MaxS = len(runs), slices.Min(walls), slices.Max(walls)
	return v
}

// median is the middle value, or the mean of the two in the middle.
func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}

// print writes the report as tables for people.
func (r *report) print(w io.Writer) error {
	var setup struct {
		Model        string `json:"model"`
		Quantization string `json:"quantization"`
		CPU          string `json:"cpu"`
		Threads      int    `json:"threads"`
		LlamaCpp     string `json:"llama_cpp"`
	}
	if err := json.Unmarshal(r.Setup, &setup); err != nil {
		return fmt.Errorf("reading the setup that amend reports: %w", err)
	}
	fmt.Fprintf(w, "%s, %s, %d rows: %s %s on %s, %d threads, llama.cpp %s; amend with %s\n\n",
		r.Workload, r.Order, r.Variants[0].Rows, setup.Model, setup.Quantization, setup.CPU, setup.Threads, setup.LlamaCpp, r.Setting)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(t, strings.Join(cells, "\t")) }
	head := []string{"variant", "runs", "seconds", "from–to", "s/row", "decode tok/s", "computed", "reused", "times amend", "from–to"}
	if r.Workload == textWorkload {
		head = append(head, "revisions/s", "critiques/1k tokens", "decoded", "guessed")
	}
	row(head...)
	for _, v := range r.Variants {
		ratio, between := "", ""
		if x, ok := r.Ratios[v.Name]; ok {
			ratio, between = fmt.Sprintf("%.2f", x), fmt.Sprintf("%.2f–%.2f", r.RatioRanges[v.Name][0], r.RatioRanges[v.Name][1])
		}
		cells := []string{
			v.Name, fmt.Sprint(v.Runs), fmt.Sprintf("%.1f", v.WallS), fmt.Sprintf("%.1f–%.1f", v.MinS, v.MaxS), fmt.Sprintf("%.2f", v.WallSPerRow),
			fmt.Sprintf("%.1f", v.DecodeTokS), fmt.Sprint(v.Computed), fmt.Sprint(v.Reused), ratio, between,
		}
		if c := v.TextCounts; c != nil {
			cells = append(cells, fmt.Sprintf("%.3f", c.RevisionsPerS), fmt.Sprintf("%.2f", c.CritiquesPer1k), fmt.Sprint(v.Decoded), fmt.Sprintf("%d of %d", c.Guessed, c.Guesses))
		}
		row(cells...)
	}
	if len(r.Sweep) > 0 {
		row()
		row("sweep", "rows run", fmt.Sprintf("seconds for %d rows, estimated", r.Variants[0].Rows))
	}
	for _, s := range r.Sweep {
		estimate := fmt.Sprintf("%.1f", s.EstimateS)
		switch {
		case s.Failed:
			estimate = "failed"
		case s.Stopped:
			estimate = "> " + estimate
		}
		row(s.Name, fmt.Sprint(s.Rows), estimate)
	}
	return t.Flush()
}
