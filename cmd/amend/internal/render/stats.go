package render

import (
	"amend/engine/revise"
	"amend/engine/runstore"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// rowSummary writes what the rows alone tell of a run.
func rowSummary(w io.Writer, s runstore.Summary) {
	counts(w, s)
	Field(w, "tokens", fmt.Sprintf("%s decoded; %s of prompts, of these %s reused (%.0f%%)",
		Grouped(s.Decoded), Grouped(s.Prompt), Grouped(s.Reused), Percent(s.Reused, s.Prompt)))
}

// Statistics adds what rounds and principles did.
func Statistics(w io.Writer, s runstore.Statistics, m runstore.Measured) error {
	rowSummary(w, s.Summary)
	if m.TurnSeconds > 0 {
		Field(w, "time", fmt.Sprintf("%.2f s for each turn, by the last command that computed some", m.TurnSeconds))
	}
	for _, table := range []struct {
		of    string
		parts []runstore.Part
	}{{"round", s.Rounds}, {"principle", s.Principles}} {
		if err := parts(w, table.of, table.parts); err != nil {
			return err
		}
	}
	return nil
}

func parts(w io.Writer, of string, parts []runstore.Part) error {
	if len(parts) == 0 {
		return nil
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "\n%s\tanswers\tchanged\trefusals\twords\tdistinct-3\tdecoded\treused\tflags\n", of)
	for _, p := range parts {
		var flags []string
		for _, f := range revise.Flags() {
			if n := p.Flags[f]; n > 0 {
				flags = append(flags, fmt.Sprintf("%s %d", f, n))
			}
		}
		fmt.Fprintf(tw, "%s\t%d\t%d\t%d\t%.1f\t%.2f\t%s\t%.0f%%\t%s\n", OneLine(p.Name), p.Answers, p.Changed, p.Refusals, p.Words, p.Distinct,
			Grouped(p.Decoded), Percent(p.Reused, p.Prompt), strings.Join(flags, ", "))
	}
	return tw.Flush()
}
