package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"amend/cmd/amend/internal/render"
	"amend/models"

	"github.com/spf13/cobra"
)

// synthOptions are the flags of `amend model synth`.
type synthOptions struct {
	shape, tokenizer, quant, out, template string
	seed                                   uint64
	force, asJSON                          bool
}

func newModelSynthCommand() *cobra.Command {
	var o synthOptions
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
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&o.shape, "shape", "", "a named shape, or layers,embedding,feed-forward,heads,KV heads")
	f.StringVar(&o.tokenizer, "tokenizer", "", "GGUF file or model name to take vocabulary and chat template from")
	f.StringVar(&o.quant, "quant", "Q4_0", "quantization")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the weights: the same seed writes the same bytes")
	f.StringVar(&o.out, "out", "", "file to write")
	f.StringVar(&o.template, "chat-template", "", "file with a chat template to use in place of the tokenizer's")
	f.BoolVar(&o.force, "force", false, "replace the file if it exists")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	for _, name := range []string{"shape", "tokenizer", "out"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is defined above
		}
	}
	return cmd
}

func (o synthOptions) run(cmd *cobra.Command) error {
	shape, err := models.ParseShape(o.shape)
	if err != nil {
		return err
	}
	if err := mayWrite(o.out, o.force); err != nil {
		return err
	}
	tokenizer, err := openModel(o.tokenizer)
	if err != nil {
		return fmt.Errorf("tokenizer: %w", err)
	}
	spec := models.Spec{Shape: shape, Quant: o.quant, Seed: o.seed, Tokenizer: tokenizer}
	if o.template != "" {
		text, err := os.ReadFile(o.template)
		if err != nil {
			return fmt.Errorf("chat template: %w", err)
		}
		spec.Template = string(text)
	}
	start := time.Now()
	made, err := models.Synth(cmd.Context(), o.out, spec, o.force, tenths(cmd.ErrOrStderr()))
	if err != nil {
		return err
	}
	wall := time.Since(start).Seconds()
	for _, f := range made.Fallbacks {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s instead of %s, as llama.cpp's quantizer does it: rows of %d are not whole blocks (%d tensors)\n", f.Got, f.Want, f.Row, f.Tensors)
	}
	if o.asJSON {
		return render.JSON(cmd.OutOrStdout(), struct {
			models.Synthesized
			WallS float64 `json:"wall_s"`
		}{made, wall})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n%s parameters, %s in %.1f s (%.0f MB/s)\nsha256 %s\n", made.Path, render.Count(made.Parameters),
		render.Bytes(made.SizeBytes), wall, float64(made.SizeBytes)/1e6/wall, made.SHA256)
	return err
}

// tenths prints a line for each tenth of a long job.
func tenths(w io.Writer) func(done, total uint64) {
	last := uint64(0)
	return func(done, total uint64) {
		if tenth := done * 10 / max(total, 1); tenth > last && total > 1e9 {
			last = tenth
			fmt.Fprintf(w, "%d%% of %s\n", tenth*10, render.Bytes(total))
		}
	}
}
