package render

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"amend/cmd/amend/internal/bench"
)

// Bench writes what a workload took.
func Bench(w io.Writer, r bench.Report) error {
	fmt.Fprintf(w, "%s, %s: %d rows, %d turns", r.Workload, r.Order, r.Lengths.Rows, r.Expected.Turns)
	if r.Expected.Distinct > 0 {
		fmt.Fprintf(w, ", %d distinct prompt tokens, %d decoded", r.Expected.Distinct, r.Expected.Decoded)
	}
	fmt.Fprintf(w, "\n%s %s on %s, %d threads, llama.cpp %s, %s\n\n", r.Setup.Model, r.Setup.Quantization, r.Setup.CPU, r.Setup.Threads, r.Setup.LlamaCpp, r.Setting)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	columns := []string{"variant", "rows", "seconds", "s/row", "decode tok/s", "computed", "reused", "times amend"}
	if r.Workload == bench.TextWorkload {
		columns = append(columns, "revisions/s", "critiques/1k tok", "decoded", "ended", "guessed")
	}
	fmt.Fprintln(t, strings.Join(columns, "\t"))
	for _, v := range r.Variants {
		fmt.Fprintln(t, strings.Join(benchLine(r, v), "\t"))
	}
	if r.FloorS > 0 {
		fmt.Fprintf(t, "floor (%s)\t\t%.1f\t%.2f\t\t\t\t%.2f\n", r.FloorWith, r.FloorS, r.FloorS/float64(r.Lengths.Rows), r.OfFloor)
	}
	return t.Flush()
}

// benchLine is a variant's line of the table.
func benchLine(r bench.Report, v bench.Variant) []string {
	ratio := ""
	if x, ok := r.Ratios[v.Name]; ok {
		ratio = fmt.Sprintf("%.2f", x)
		if v.RatioMax > 0 {
			ratio += fmt.Sprintf(" (%.2f to %.2f)", v.RatioMin, v.RatioMax)
		}
	}
	line := []string{
		v.Name, fmt.Sprint(v.Rows), fmt.Sprintf("%.1f", v.WallS), fmt.Sprintf("%.2f", v.WallSPerRow),
		fmt.Sprintf("%.1f", v.DecodeTokS), fmt.Sprint(v.Computed), fmt.Sprint(v.Reused), ratio,
	}
	if t := v.TextCounts; t != nil {
		line = append(line,
			fmt.Sprintf("%.3f", t.RevisionsPerS), fmt.Sprintf("%.2f", t.CritiquesPer1k), fmt.Sprint(v.Decoded),
			fmt.Sprintf("%d of %d", t.EndedByItself, t.Turns), fmt.Sprintf("%d of %d", t.Accepted, t.Drafted))
	}
	return line
}

// Speculation writes what revisions took that copy a known share of their draft.
func Speculation(w io.Writer, r bench.SpeculationReport) error {
	fmt.Fprintf(w, "%s %s on %s, %d threads, %s\n\n", r.Setup.Model, r.Setup.Quantization, r.Setup.CPU, r.Setup.Threads, r.Setting)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "variant\trows\tcopied\twithout, s\twith, s\ttimes faster\tguesses right")
	for _, c := range r.Table {
		fmt.Fprintf(t, "%s\t%d\t%.0f %%\t%.2f\t%.2f\t%.2f\t%d of %d\n", c.Variant, c.Rows, 100*c.Share, c.Without, c.With, c.Ratio, c.Accepted, c.Drafted)
	}
	return t.Flush()
}
