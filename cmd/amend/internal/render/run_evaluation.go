package render

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"amend/cmd/amend/internal/app"
	"amend/engine/compare"
	"amend/engine/stats"
)

// RunEvaluation writes what the rounds of a run did, for a person or as JSON.
func RunEvaluation(w io.Writer, r app.RunEvaluation, asJSON bool) error {
	if asJSON {
		return JSON(w, r)
	}
	against := "the first responses"
	if r.Against != "" {
		against = "the final answers of " + r.Against
	}
	Field(w, "run", fmt.Sprintf("%s, measured against %s", r.Run, against))
	if r.Left > 0 {
		Field(w, "left out", counted(r.Left, "row")+" that failed or that the other run does not have")
	}
	fmt.Fprintln(w)
	if err := answers(w, r.Answers); err != nil {
		return err
	}
	if err := wins(w, r.Answers); err != nil || r.Outcome == nil {
		return err
	}
	fmt.Fprintln(w)
	return Outcome(w, *r.Outcome)
}

// answers writes what can be counted without a judge.
func answers(w io.Writer, rows []compare.Row) error {
	table := [][]string{{"answers", "rows", "unchanged", "refuse", "95 %", "chars", "kept", "language", "flags"}}
	for _, r := range rows {
		var flags []string
		for _, name := range slices.Sorted(maps.Keys(r.Flags)) {
			flags = append(flags, fmt.Sprintf("%d %s", r.Flags[name], name))
		}
		table = append(table, []string{
			r.Name, strconv.Itoa(r.Cases), strconv.Itoa(r.Unchanged), Share(r.Refusals), Interval(r.Refusals), fmt.Sprintf("%.0f", r.Chars.Value),
			fmt.Sprintf("%.0f%%", 100*r.Kept.Value), strconv.Itoa(r.Language.Count), strings.Join(flags, ", "),
		})
	}
	return Table(w, table)
}

// wins writes how often answers win over what they are measured against.
func wins(w io.Writer, rows []compare.Row) error {
	table := [][]string{{"wins", "by", "over", "share", "95 %", "pairs"}}
	for _, r := range rows {
		if r.Unchanged == r.Cases {
			continue // nothing to compare
		}
		for _, win := range r.Wins {
			for _, over := range []struct {
				what string
				s    stats.Share
			}{{"all", win.All}, {"neither refuses", win.Helping}, {"similar length", win.Alike}} {
				interval := ""
				if over.s.Of > 0 {
					interval = Interval(over.s)
				}
				table = append(table, []string{r.Name, win.By, over.what, Share(over.s), interval, strconv.Itoa(over.s.Of)})
			}
		}
	}
	if len(table) == 1 {
		return nil
	}
	fmt.Fprintln(w)
	return Table(w, table)
}
