package render

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"amend/cmd/amend/internal/app"
	"amend/engine/check"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// shownRow is a row with what follows from its parts.
type shownRow struct {
	revise.Record
	Clean bool `json:"clean"` // a verdict found its answer clean
}

// RunJSON writes {manifest, rows[], summary}, a row a line, without holding all rows in memory.
func RunJSON(w io.Writer, run app.StoredRun) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	var failed error
	put := func(text string, v any) {
		if failed == nil {
			_, failed = io.WriteString(w, text)
		}
		if failed == nil {
			failed = enc.Encode(v)
		}
	}
	put(`{"manifest":`, run.Manifest)
	var summary runstore.Summary
	before := `,"rows":[`
	for rec, err := range run.Rows {
		if err != nil {
			return err
		}
		summary.Add(rec)
		put(before, shownRow{rec, rec.Clean()})
		before = ","
	}
	if summary.Rows == 0 {
		put(`,"rows":[],"summary":`, summary)
	} else {
		put(`],"summary":`, summary)
	}
	if failed != nil {
		return fmt.Errorf("print run: %w", failed)
	}
	_, err := fmt.Fprintln(w, "}")
	return err
}

// Run lists the rows of a run and counts them. matching says that they are not all: only some were asked for.
func Run(p *Page, run app.StoredRun, labels *app.RunLabels, matching bool) error {
	m := run.Manifest
	table := [][]string{rowCells(labels, "ROW", "ID", "TURNS", "ENDED", "FLAGS", "LABEL", "PROMPT")}
	var summary runstore.Summary
	var failures []string
	for rec, err := range run.Rows {
		if err != nil {
			return err
		}
		summary.Add(rec)
		id := ansi.Truncate(OneLine(rec.ID), maxID, "…")
		table = append(table, rowCells(labels, strconv.Itoa(rec.Index), id, strconv.Itoa(len(rec.Turns)), rowEnd(rec), flagCounts(rec), labelCell(labels, rec.ID), PromptStart(rec, p.width)))
		if rec.Error != "" {
			failures = append(failures, fmt.Sprintf("row %d (%s) failed: %s", rec.Index, id, OneLine(rec.Error)))
		}
	}
	what := "finished"
	if matching {
		what = "match"
	}
	// Paths are not broken into lines.
	p.Text(fmt.Sprintf("%-*s%s, begun %s, %s of %s rows %s\n", LabelWidth, "run", run.Dir, m.Created, Grouped(summary.Rows), Grouped(max(summary.Rows, m.Setup.Rows)), what))
	p.settings(run)
	if summary.Rows == 0 {
		return p.err
	}
	p.Text("\n")
	p.Table(table)
	p.Text("\n")
	for _, f := range failures {
		p.Wrapped(0, f)
	}
	if failures != nil {
		p.Text("\n")
	}
	var counts strings.Builder
	rowSummary(&counts, summary)
	p.Text(counts.String())
	return p.err
}

// rowCells are the cells of a row; that of the label, the last but one, is left out where there are no labels.
func rowCells(labels *app.RunLabels, cells ...string) []string {
	if labels == nil {
		return slices.Delete(cells, len(cells)-2, len(cells)-1)
	}
	return cells
}

// rowEnd says in a word how a row ended: failed, or as its last answer did.
func rowEnd(rec revise.Record) string {
	final, ok := rec.Final()
	if rec.Error != "" || !ok {
		return "failed"
	}
	return string(final.End)
}

// flagCounts lists the flags of all turns of a row.
func flagCounts(rec revise.Record) string {
	var s runstore.Summary
	s.Add(rec)
	var out []string
	for _, f := range check.Flags() {
		switch n := s.Flags[f]; n {
		case 0:
		case 1:
			out = append(out, string(f))
		default:
			out = append(out, fmt.Sprintf("%s×%d", f, n))
		}
	}
	if out == nil {
		return "-"
	}
	return ansi.Truncate(strings.Join(out, " "), maxFlags, "…")
}

// PromptStart is the beginning of the last message, which the row answers, in at most so many cells.
func PromptStart(rec revise.Record, cells int) string {
	if len(rec.Messages) == 0 {
		return ""
	}
	return ansi.Truncate(OneLine(rec.Messages[len(rec.Messages)-1].Text), cells, "…")
}

// The most cells of an id and of the flags in the table.
const (
	maxID    = 20
	maxFlags = 32
)
