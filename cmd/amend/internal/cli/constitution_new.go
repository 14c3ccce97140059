package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/constitution"
)

func newConstitutionNewCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "new [FILE]",
		Short: "Write a constitution with comments to start from",
		Long: `Write a constitution with comments to start from: a few rules, requests, demonstrations and judgements. FILE must not
exist; without one it is printed.`,
		Example: "  amend constitution new mine.yaml\n  amend constitution lint mine.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := io.WriteString(cmd.OutOrStdout(), constitution.Skeleton("mine"))
				return err
			}
			if err := app.NewConstitution(args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "wrote %s; next: edit it, then amend constitution lint %[1]s\n", args[0])
			return err
		},
	}
}

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
