package cli

import (
	"io"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
	"amend/constitution"
)

// newConstitutionCommand is `amend constitution`, the commands for constitutions.
func newConstitutionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "constitution",
		Short: "List, start, import, show, check, compare and compose constitutions",
		Long: `List, start, import, show, check, compare and compose constitutions. Where a command takes several, they are layers:
each adds to those before it, changes their principles or switches them off, as with several --constitution
flags of amend run.`,
		Example: `  amend constitution ls
  amend constitution new mine.yaml
  amend constitution show echr --principle privacy
  amend constitution diff udhr banjul
  amend constitution compose udhr mine.yaml > composed.yaml
  amend constitution lint mine.yaml`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConstitutionLsCommand(), newConstitutionNewCommand(), newConstitutionImportCommand(), newConstitutionShowCommand(), newConstitutionLintCommand(),
		newConstitutionDiffCommand(), newConstitutionComposeCommand(), newConstitutionSchemaCommand())
	return cmd
}

func newConstitutionLsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "ls",
		Short:   "List the embedded constitutions",
		Example: "  amend constitution ls --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := app.Constitutions()
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), list)
			}
			return render.Constitutions(cmd.OutOrStdout(), list)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func newConstitutionSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of the format, for editors",
		Example: "  amend constitution schema > constitution.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), constitution.Schema())
			return err
		},
	}
}
