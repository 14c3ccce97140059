package render

import (
	"fmt"
	"io"
	"strconv"

	"amend/cmd/amend/internal/app"
	"amend/engine/runstore"
)

// rowSummary writes what the rows alone tell of a run.
func rowSummary(w io.Writer, s runstore.Summary) {
	rowCounts(w, s)
	turnCounts(w, s)
	Field(w, "tokens", fmt.Sprintf("%s decoded; %s of prompts, of these %s reused (%.0f%%)",
		Grouped(s.Decoded), Grouped(s.Prompt), Grouped(s.Reused), Percent(s.Reused, s.Prompt)))
}

// Stats writes the counts of a run, and what its rounds and principles did.
func Stats(w io.Writer, s app.StatsReport) error {
	rowSummary(w, s.Summary)
	if s.Measured.TurnSeconds > 0 {
		Field(w, "time", fmt.Sprintf("%.2f s per turn, in the last command that computed some", s.Measured.TurnSeconds))
	}
	if err := parts(w, "round", s.Rounds); err != nil {
		return err
	}
	return parts(w, "principle", s.Principles)
}

// refusals counts them, and the answers that nobody judged.
func refusals(p runstore.Part) string {
	if p.NotJudged == 0 {
		return strconv.Itoa(p.Refusals)
	}
	return fmt.Sprintf("%d (%d not judged)", p.Refusals, p.NotJudged)
}

func parts(w io.Writer, of string, parts []runstore.Part) error {
	if len(parts) == 0 {
		return nil
	}
	rows := [][]string{{of, "answers", "changed", "refusals", "words", "distinct-3", "decoded", "reused", "flags"}}
	for _, p := range parts {
		rows = append(rows, []string{OneLine(p.Name), strconv.Itoa(p.Answers), strconv.Itoa(p.Changed), refusals(p),
			fmt.Sprintf("%.1f", p.Words), fmt.Sprintf("%.2f", p.Distinct), Grouped(p.Decoded),
			fmt.Sprintf("%.0f%%", Percent(p.Reused, p.Prompt)), flagTotals(p.Flags)})
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	return Table(w, rows)
}
