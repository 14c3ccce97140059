package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"amend/engine/revise"
	"amend/engine/runstore"
)

// records are the rows of a run, in input order.
type records = iter.Seq2[revise.Record, error]

// newShowCommand is `amend show`, which reads a run directory to a person.
func newShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show DIR [ROW]",
		Short: "Read a run: its rows, or everything said in one of them",
		Long: `List the finished rows of a run, or print the whole trace of one row: the conversation, the response, and
for each round the principle, the critique and the revision, with what was found wrong with each turn.

ROW is a row's id, its number in the first column, or the beginning of its id. A run that is going on can
be read too.`,
		Example: "  amend show runs/first\n  amend show runs/first 3\n  amend show runs/first --json | jq '.rows[].turns[-1].text'",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			manifest, rows, err := runstore.Read(args[0])
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if len(args) == 1 {
				if asJSON {
					return printRunJSON(out, manifest, rows)
				}
				return printRun(newPage(out), args[0], manifest, rows)
			}
			rec, err := findRow(args[0], args[1], rows)
			if err != nil {
				return err
			}
			if asJSON {
				return printRunJSON(out, manifest, func(yield func(revise.Record, error) bool) { yield(rec, nil) })
			}
			return printTrace(newPage(out), rec)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object, with the rows as rows[]")
	return cmd
}

// printRunJSON writes {manifest, rows[], summary}, a row a line, without holding all rows in memory.
func printRunJSON(w io.Writer, m runstore.Manifest, rows records) error {
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
	put(`{"manifest":`, m)
	var summary runstore.Summary
	before := `,"rows":[`
	for rec, err := range rows {
		if err != nil {
			return err
		}
		summary.Add(rec)
		put(before, rec)
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

// findRow returns the row that name means: an id, a number or the beginning of one id, in that order.
func findRow(dir, name string, rows records) (revise.Record, error) {
	index, err := strconv.Atoi(name)
	numeric := err == nil
	var numbered, begun *revise.Record
	var ids, starts []string
	for rec, err := range rows {
		if err != nil {
			return rec, err
		}
		if rec.ID == name {
			return rec, nil
		}
		if numeric && rec.Index == index {
			numbered = &rec
		}
		if strings.HasPrefix(rec.ID, name) {
			starts = append(starts, rec.ID)
			begun = &rec
		}
		ids = append(ids, rec.ID)
	}
	switch {
	case numbered != nil:
		return *numbered, nil
	case len(starts) == 1:
		return *begun, nil
	case len(starts) > 1:
		return revise.Record{}, fmt.Errorf("%s has %d rows whose id begins with %q (%s): give more of the id", dir, len(starts), name, someOf(starts))
	case len(ids) == 0:
		return revise.Record{}, fmt.Errorf("%s has no finished rows yet", dir)
	}
	hint := ""
	if near := similar(name, ids); len(near) > 0 {
		hint = "; the nearest are " + someOf(near)
	}
	return revise.Record{}, fmt.Errorf("%s has no finished row %q among its %d%s (amend show %s lists them)", dir, name, len(ids), hint, dir)
}

// someOf lists the first few of many names.
func someOf(names []string) string {
	const most = 3
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// similar returns up to three ids that share the most with name, counting their beginnings and ends, and at
// least half of it.
func similar(name string, ids []string) []string {
	shared := func(id string) int {
		n := 0
		for n < min(len(id), len(name)) && id[n] == name[n] {
			n++
		}
		end := 0
		for n+end < min(len(id), len(name)) && id[len(id)-1-end] == name[len(name)-1-end] {
			end++
		}
		return n + end
	}
	near := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return 2*shared(id) < len(name) })
	slices.SortStableFunc(near, func(a, b string) int { return cmp.Compare(shared(b), shared(a)) })
	return near[:min(3, len(near))]
}

// printRun lists the rows of a run and counts them.
func printRun(p *page, dir string, m runstore.Manifest, rows records) error {
	table := [][]string{{"ROW", "ID", "TURNS", "ENDED", "FLAGS", "PROMPT"}}
	var summary runstore.Summary
	var failures []string
	for rec, err := range rows {
		if err != nil {
			return err
		}
		summary.Add(rec)
		id := ansi.Truncate(oneLine(rec.ID), maxID, "…")
		table = append(table, []string{strconv.Itoa(rec.Index), id, strconv.Itoa(len(rec.Turns)), rowEnd(rec), flagCounts(rec), promptStart(rec, p.width)})
		if rec.Error != "" {
			failures = append(failures, fmt.Sprintf("row %d (%s) failed: %s", rec.Index, id, oneLine(rec.Error)))
		}
	}
	// Paths are not broken into lines.
	p.text(fmt.Sprintf("%-*s%s, begun %s, %s of %s rows finished\n", labelWidth, "run", dir, m.Created, grouped(summary.Rows), grouped(max(summary.Rows, m.Setup.Rows))))
	p.text(fmt.Sprintf("%-*s%s\n", labelWidth, "model", m.Setup.Model))
	p.text(fmt.Sprintf("%-*sconstitution %s, %s, %d revisions, seed %d\n", labelWidth, "settings", m.Setup.Constitution, m.Results.Mode, m.Results.Revisions, m.Results.Seed))
	if summary.Rows == 0 {
		return p.err
	}
	p.text("\n")
	p.table(table)
	p.text("\n")
	for _, f := range failures {
		p.wrapped(0, f)
	}
	if failures != nil {
		p.text("\n")
	}
	var counts strings.Builder
	printRowSummary(&counts, summary)
	p.text(counts.String())
	return p.err
}

// The most cells of an id and of the flags in the table.
const (
	maxID    = 20
	maxFlags = 32
)

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
	for _, f := range revise.Flags() {
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

// promptStart is the beginning of the last message, which the row answers, in at most so many cells.
func promptStart(rec revise.Record, cells int) string {
	if len(rec.Messages) == 0 {
		return ""
	}
	return ansi.Truncate(oneLine(rec.Messages[len(rec.Messages)-1].Content), cells, "…")
}

// newPage lays text out for a terminal at its width, and for anything else at 80 columns without colour.
func newPage(w io.Writer) *page {
	p := &page{w: w, width: defaultWidth}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return p
	}
	p.bold = os.Getenv("NO_COLOR") == ""
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		p.width = max(width, 40)
	}
	return p
}
