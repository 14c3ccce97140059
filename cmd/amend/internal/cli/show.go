package cli

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/render"
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
					return render.RunJSON(out, manifest, rows)
				}
				return render.Run(render.NewPage(out), args[0], manifest, rows)
			}
			rec, err := findRow(args[0], args[1], rows)
			if err != nil {
				return err
			}
			if asJSON {
				return render.RunJSON(out, manifest, func(yield func(revise.Record, error) bool) { yield(rec, nil) })
			}
			return render.Trace(render.NewPage(out), rec)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object, with the rows as rows[]")
	return cmd
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
