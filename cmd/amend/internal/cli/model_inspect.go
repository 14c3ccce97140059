package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

func newModelInspectCommand() *cobra.Command {
	var asJSON, noSum bool
	cmd := &cobra.Command{
		Use:               "inspect MODEL",
		Short:             "Describe a model: architecture, size, quantization, context, tokenizer, checksum",
		Example:           "  amend model inspect smollm2\n  amend model inspect big-00001-of-00003.gguf --no-sha256 --json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: first(completeModel),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, err := app.InspectModel(cmd.Context(), args[0], !noSum)
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), info)
			}
			return render.Model(cmd.OutOrStdout(), info)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&noSum, "no-sha256", false, "leave out the checksum, which takes reading the whole file")
	return cmd
}
