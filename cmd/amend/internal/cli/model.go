package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

// newModelCommand is `amend model`, the commands for model files.
func newModelCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "List, inspect, verify, synthesize and quantize model files",
		Example: `  amend model ls
  amend model inspect smollm2
  amend model verify path/to/model.gguf
  amend model synth --shape llama-3.1-8b --tokenizer smollm2 --quant Q4_0 --out 8b.gguf
  amend model quantize big-f16.gguf --type Q4_K_M --out small.gguf`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newModelLsCommand(), newModelInspectCommand(), newModelVerifyCommand(), newModelSynthCommand(), newModelQuantizeCommand(), newModelTokensCommand())
	return cmd
}

func newModelLsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the embedded model and those in this machine's caches",
		Long: `List the embedded testbed, and the models in AMEND_MODELS, in amend's own cache and in those of Hugging Face,
Ollama and LM Studio, which are only read. The names in the first column can be given as --model.`,
		Example: "  amend model ls\n  amend model ls --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list := app.Models()
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), list)
			}
			if len(list.Models) == 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "no models in %s; `make models` fetches smollm2\n", strings.Join(list.LookedIn, ", "))
				return nil
			}
			return render.Models(cmd.OutOrStdout(), list)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
