package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"amend/engine/runstore"
)

// newStatsCommand is `amend stats`, the counts of a run without its rows.
func newStatsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "stats DIR",
		Short:   "Count a run's rows, turns, flags and tokens",
		Long:    "Count the finished rows of a run, how their turns ended, what the checks found in them, and their tokens.",
		Example: "  amend stats runs/first\n  amend stats runs/first --json | jq .flags",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, rows, err := runstore.Read(args[0])
			if err != nil {
				return err
			}
			summary, err := runstore.Summarize(rows)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), summary)
			}
			printRowSummary(cmd.OutOrStdout(), summary)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// printRowSummary writes all that the rows alone tell of a run.
func printRowSummary(w io.Writer, s runstore.Summary) {
	printCounts(w, s)
	printField(w, "tokens", fmt.Sprintf("%s decoded; %s of prompts, of these %s reused (%.0f%%)",
		grouped(s.Decoded), grouped(s.Prompt), grouped(s.Reused), percent(s.Reused, s.Prompt)))
}
