package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
)

func newConstitutionImportCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Make a constitution of critique and revision requests in JSON",
		Long: `Make a constitution of critique and revision requests in JSON, and print it as YAML. Read are the shapes of the
paper's repository ({"NAME": {"prompt": [...], "edit_request": ...}}, and its list of few-shot prompts), of llm-swarm
({"constitutions": [...], "system_chat": [...]}), and lists of {"critique_request": ..., "revision_request": ...}. Several
files make one constitution. What has no place in one is named at its top.`,
		Example: "  amend constitution import CritiqueRevisionInstructions.json CritiqueRevisionFewShotPrompts.json > paper.yaml\n  amend constitution lint paper.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := app.ImportConstitution(name, args...)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the constitution (default that of the first file)")
	return cmd
}
