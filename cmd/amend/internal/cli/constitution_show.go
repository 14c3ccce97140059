package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

func newConstitutionShowCommand() *cobra.Command {
	var asJSON bool
	var id string
	cmd := &cobra.Command{
		Use:               "show CONSTITUTION...",
		Short:             "Show a constitution, or one of its principles and what each layer did to it",
		Example:           "  amend constitution show hhh\n  amend constitution show udhr banjul --principle duties\n  amend constitution show hhh --json | jq '.principles[].id'",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeConstitution,
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := app.Constitution(args...)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if id == "" {
				if asJSON {
					return render.JSON(out, doc)
				}
				return render.Constitution(render.NewPage(out), doc)
			}
			p, err := app.FindPrinciple(doc, id)
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(out, p)
			}
			return render.Principle(render.NewPage(out), doc, p)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&id, "principle", "", "show only this one, with what each layer did to it")
	return cmd
}
