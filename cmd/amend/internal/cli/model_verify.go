package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

func newModelVerifyCommand() *cobra.Command {
	var asJSON bool
	var want string
	cmd := &cobra.Command{
		Use:   "verify MODEL",
		Short: "Check a model file's structure and checksum",
		Long: `Check every count, length, offset and size in a model file, and its sha256 against --sha256, or else against
what is known: for smollm2 the project's own figure, for a file in a Hugging Face cache the one it is stored under.`,
		Example:           "  amend model verify smollm2\n  amend model verify model.gguf --sha256 b179c952…",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: first(completeModel),
		RunE: func(cmd *cobra.Command, args []string) error {
			verdict, err := app.VerifyModel(cmd.Context(), args[0], want)
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), verdict)
			}
			return render.ModelVerdict(cmd.OutOrStdout(), verdict)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&want, "sha256", "", "the checksum that the file must have, in hexadecimal")
	return cmd
}
