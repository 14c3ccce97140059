package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

// newEvalCommand is `amend eval`, which has an oracle judge a run.
func newEvalCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "eval DIR",
		Short: "Compare a run of the testbed model with its world's truth, round by round",
		Long: `Report what each round of a run did: how many responses break a rule, how much of that the critiques found, and
what the revisions repaired, spoiled and lost. Only the testbed model has an oracle, a program that knows the
rules of its world (docs/testbed.md). For other models amend stats counts what can be counted without one.`,
		Example: "  amend run --model testbed --prompts prompts.jsonl --revisions 4 --out runs/t\n  amend eval runs/t\n  amend eval runs/t --json | jq '.rounds[].violations'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			outcome, err := app.Evaluate(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), outcome)
			}
			return render.Outcome(cmd.OutOrStdout(), outcome)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
