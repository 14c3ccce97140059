package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

func newConstitutionDiffCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "diff A B",
		Short:             "Show what differs between two constitutions, for review",
		Long:              "Show added, removed, re-weighted and reworded principles, word by word: [-removed-] {+added+}.",
		Example:           "  amend constitution diff udhr echr\n  amend constitution diff old.yaml new.yaml --json",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeConstitution,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := app.CompareConstitutions(args[0], args[1])
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), d)
			}
			return render.Difference(render.NewPage(cmd.OutOrStdout()), d)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
