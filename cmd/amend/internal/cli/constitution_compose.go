package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

func newConstitutionComposeCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "compose CONSTITUTION...",
		Short: "Print the document that layers make together, with the origin of every field",
		Long: `Print the document that layers make together: a YAML file that needs no other, with a comment after each
field that names its layer and line.`,
		Example:           "  amend constitution compose udhr banjul > composed.yaml",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeConstitution,
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := app.Constitution(args...)
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), doc)
			}
			text, err := doc.YAML()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
