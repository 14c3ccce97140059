package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/render"
	"amend/engine/oracle"
	"amend/engine/runstore"
	"amend/models/testbed"
)

// newEvalCommand is `amend eval`, what an oracle says of a run.
func newEvalCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "eval DIR",
		Short: "Judge a run of the testbed model against its world's truth, round by round",
		Long: `Judge what each round of a run did: how many responses break a rule, what the critiques saw of it, what the
revisions repaired, spoiled and lost. Only the testbed model has an oracle, a program that knows its world's
rules (docs/testbed.md). For other models amend stats counts what can be counted without one.`,
		Example: "  amend run --model testbed --prompts prompts.jsonl --revisions 4 --out runs/t\n  amend eval runs/t\n  amend eval runs/t --json | jq '.rounds[].violations'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			manifest, rows, err := runstore.Read(args[0])
			if err != nil {
				return err
			}
			if !isTestbed(manifest) {
				return fmt.Errorf("%s was made with %s: there is an oracle for the testbed model only, and nobody here can say which of these responses are good; amend stats %s counts turns, flags and tokens", args[0], manifest.Setup.Model, args[0])
			}
			out, err := oracle.Of(testbed.New(), manifest.Results.Revisions, rows)
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), out)
			}
			return render.Outcome(cmd.OutOrStdout(), out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// isTestbed reports whether a run was made with the embedded model.
func isTestbed(m runstore.Manifest) bool {
	return m.Results.ModelSHA256 == testbed.SHA256()
}
