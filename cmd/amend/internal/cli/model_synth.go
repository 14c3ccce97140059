package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
	"amend/models"
)

func newModelSynthCommand() *cobra.Command {
	var asJSON bool
	c := app.DefaultSynthConfig()
	var shapes []string
	for _, s := range models.Shapes() {
		shapes = append(shapes, s.Name)
	}
	cmd := &cobra.Command{
		Use:   "synth --shape NAME|L,D,F,H,KV --tokenizer VOCAB.gguf --out FILE",
		Short: "Write a model of real shape with random weights",
		Long: `Write a model with the geometry of a real one, random weights and the tokenizer of another GGUF file (a model or
a vocabulary alone), to measure what a machine does with a model that is not there. What it generates is noise.

Shapes: ` + strings.Join(shapes, ", ") + `,
or five numbers for layers, embedding, feed-forward, heads and KV heads.
Quantizations: ` + strings.Join(models.Quantizations(), ", ") + `.`,
		Example: `  amend model synth --shape llama-3.1-8b --tokenizer smollm2 --quant Q4_0 --out 8b.gguf
  amend model synth --shape 2,64,128,4,2 --tokenizer smollm2 --quant F32 --seed 7 --out tiny.gguf`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return synth(cmd, c, asJSON) },
	}
	f := cmd.Flags()
	f.StringVar(&c.Shape, "shape", c.Shape, "a named shape, or layers,embedding,feed-forward,heads,KV heads (required)")
	f.StringVar(&c.Tokenizer, "tokenizer", c.Tokenizer, "GGUF file or model name to take vocabulary and chat template from (required)")
	f.StringVar(&c.Quant, "quant", c.Quant, "quantization")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "seed of the weights: the same seed writes the same bytes")
	f.StringVarP(&c.Out, "out", "o", c.Out, "file to write (required)")
	f.StringVar(&c.Template, "chat-template", c.Template, "file with a chat template to use instead of the tokenizer's: Jinja, or JSON that holds it")
	f.BoolVar(&c.Force, "force", c.Force, "replace an existing file")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func synth(cmd *cobra.Command, c app.SynthConfig, asJSON bool) error {
	env, err := newEnv(cmd)
	if err != nil {
		return err
	}
	env.Progress = render.Tenths(cmd.ErrOrStderr())
	made, err := app.Synthesize(cmd.Context(), env, c)
	if err != nil {
		return err
	}
	render.Fallbacks(cmd.ErrOrStderr(), made)
	if asJSON {
		return render.JSON(cmd.OutOrStdout(), made)
	}
	return render.Synthesized(cmd.OutOrStdout(), made)
}
