package cli

import (
	"context"
	"fmt"

	"amend/cmd/amend/internal/render"
	"amend/internal/atomicfile"
	"amend/models"

	"github.com/spf13/cobra"
)

// quantizeFunc writes the model at in to out, in the quantization that ftype names (models.FileType.String),
// also when in is quantized already.
type quantizeFunc func(ctx context.Context, in, out, ftype string, threads int) error

// quantizeOptions are the flags of `amend model quantize`.
type quantizeOptions struct {
	ftype, out string
	threads    int
	force      bool
	asJSON     bool
}

func newModelQuantizeCommand(quantize quantizeFunc) *cobra.Command {
	var o quantizeOptions
	cmd := &cobra.Command{
		Use:     "quantize MODEL --type TYPE --out FILE",
		Short:   "Write a model in another quantization",
		Long:    "Write a model in another quantization, with llama.cpp's quantizer. A model that is quantized already loses precision twice.",
		Example: "  amend model quantize big-f16.gguf --type Q4_K_M --out small.gguf",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0], quantize) },
	}
	f := cmd.Flags()
	f.StringVar(&o.ftype, "type", "", "quantization: Q4_0, Q4_K_M, Q8_0, F16, …")
	f.StringVar(&o.out, "out", "", "file to write")
	f.IntVar(&o.threads, "threads", 0, "threads, 0 for one per CPU")
	f.BoolVar(&o.force, "force", false, "replace the file if it exists")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	for _, name := range []string{"type", "out"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is defined above
		}
	}
	return cmd
}

// run quantizes into a temporary file beside the target, checks it, and gives it its name.
func (o quantizeOptions) run(cmd *cobra.Command, name string, quantize quantizeFunc) (err error) {
	ftype, err := models.ParseFileType(o.ftype)
	if err != nil {
		return err
	}
	if o.threads < 0 {
		return usage(fmt.Errorf("--threads is %d, but must be at least 0", o.threads))
	}
	in, err := openModel(name)
	if err != nil {
		return err
	}
	if err := in.Generative(); err != nil {
		return err
	}
	if err := mayWrite(o.out, o.force); err != nil {
		return err
	}
	before := in.Info()
	if before.BitsPerWeight < 15 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s is already %s: what that lost stays lost, and %s adds its own error\n", in.Path, before.Quantization, ftype)
	}
	var checked *models.Model
	err = atomicfile.Replace(o.out, func(tmp string) error {
		if err := quantize(cmd.Context(), in.Path, tmp, ftype.String(), o.threads); err != nil {
			return fmt.Errorf("quantize %s to %s: %w", in.Path, ftype, err)
		}
		checked, err = models.Open(tmp)
		if err != nil {
			return fmt.Errorf("quantize %s to %s: the result: %w", in.Path, ftype, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	after := checked.Info()
	after.Path = o.out
	if o.asJSON {
		return render.JSON(cmd.OutOrStdout(), after)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n%s, %s (%.2f bits a weight) from %s, %s (%.2f)\n", o.out, ftype, render.Bytes(after.SizeBytes), after.BitsPerWeight,
		before.Quantization, render.Bytes(before.SizeBytes), before.BitsPerWeight)
	return err
}
