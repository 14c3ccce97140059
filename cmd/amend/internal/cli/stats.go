package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"amend/engine/revise"
	"amend/engine/runstore"
)

// newStatsCommand is `amend stats`, the counts of a run without its rows.
func newStatsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats DIR",
		Short: "Count a run's rows, turns, flags and tokens, by round and principle",
		Long: `Count the finished rows of a run, how their turns ended, what the checks found in them, and their tokens; and what
each round and each principle did: revisions that changed their draft, refusals, lengths, how unlike the answers are.`,
		Example: "  amend stats runs/first\n  amend stats runs/first --json | jq .flags",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			manifest, rows, err := runstore.Read(args[0])
			if err != nil {
				return err
			}
			s, err := runstore.Count(rows)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), s)
			}
			return printStatistics(cmd.OutOrStdout(), s, manifest.Measured)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// printRowSummary writes what the rows alone tell of a run.
func printRowSummary(w io.Writer, s runstore.Summary) {
	printCounts(w, s)
	printField(w, "tokens", fmt.Sprintf("%s decoded; %s of prompts, of these %s reused (%.0f%%)",
		grouped(s.Decoded), grouped(s.Prompt), grouped(s.Reused), percent(s.Reused, s.Prompt)))
}

// printStatistics adds what rounds and principles did.
func printStatistics(w io.Writer, s runstore.Statistics, m runstore.Measured) error {
	printRowSummary(w, s.Summary)
	if m.TurnSeconds > 0 {
		printField(w, "time", fmt.Sprintf("%.2f s for each turn, by the last command that computed some", m.TurnSeconds))
	}
	for _, table := range []struct {
		of    string
		parts []runstore.Part
	}{{"round", s.Rounds}, {"principle", s.Principles}} {
		if err := printParts(w, table.of, table.parts); err != nil {
			return err
		}
	}
	return nil
}

func printParts(w io.Writer, of string, parts []runstore.Part) error {
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
		fmt.Fprintf(tw, "%s\t%d\t%d\t%d\t%.1f\t%.2f\t%s\t%.0f%%\t%s\n", oneLine(p.Name), p.Answers, p.Changed, p.Refusals, p.Words, p.Distinct,
			grouped(p.Decoded), percent(p.Reused, p.Prompt), strings.Join(flags, ", "))
	}
	return tw.Flush()
}
