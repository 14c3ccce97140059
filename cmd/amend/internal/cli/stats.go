package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

// newStatsCommand is `amend stats`, which counts what a run holds.
func newStatsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats DIR",
		Short: "Count a run's rows, turns, flags and tokens, by round and principle",
		Long: `Count the finished rows of a run: how their turns ended, what the checks found in them, and their tokens. For each
round and each principle count revisions that changed their draft, refusals, lengths and how different answers are.`,
		Example:           "  amend stats runs/first\n  amend stats runs/first --json | jq .flags",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: first(completeRun),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := app.Stats(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), report)
			}
			return render.Stats(cmd.OutOrStdout(), report)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
