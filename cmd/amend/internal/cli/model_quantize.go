package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

func newModelQuantizeCommand() *cobra.Command {
	var asJSON bool
	var c app.QuantizeConfig
	cmd := &cobra.Command{
		Use:               "quantize MODEL --type TYPE --out FILE",
		Short:             "Write a model in another quantization",
		Long:              "Write a model in another quantization, with llama.cpp's quantizer. Quantizing a quantized model loses precision twice.",
		Example:           "  amend model quantize big-f16.gguf --type Q4_K_M --out small.gguf",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: first(completeModel),
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := newEnv(cmd)
			if err != nil {
				return err
			}
			c.Model = args[0]
			made, err := app.Quantize(cmd.Context(), env, c)
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), made.After)
			}
			return render.Quantized(cmd.OutOrStdout(), made)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Type, "type", c.Type, "quantization: Q4_0, Q4_K_M, Q8_0, F16, … (required)")
	f.StringVarP(&c.Out, "out", "o", c.Out, "file to write (required)")
	f.IntVar(&c.Threads, "threads", c.Threads, "threads; 0: one per CPU")
	f.BoolVar(&c.Force, "force", c.Force, "replace an existing file")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
