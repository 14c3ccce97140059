package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"amend/cmd/amend/internal/render"
	"amend/models"

	"github.com/spf13/cobra"
)

// newModelCommand is `amend model`, all that can be done with a model short of running it.
func newModelCommand(quantize quantizeFunc) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "List, inspect, verify, make up and quantize model files",
		Example: `  amend model ls
  amend model inspect smollm2
  amend model verify path/to/model.gguf
  amend model synth --shape llama-3.1-8b --tokenizer smollm2 --quant Q4_0 --out 8b.gguf
  amend model quantize big-f16.gguf --type Q4_K_M --out small.gguf`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newModelLsCommand(), newModelInspectCommand(), newModelVerifyCommand(), newModelSynthCommand(), newModelQuantizeCommand(quantize), newModelTokensCommand())
	return cmd
}

func newModelLsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the models in this machine's caches",
		Long: `List the models in AMEND_MODELS, in amend's own cache and in Hugging Face's, which is only read.
A name in the first column can be given as --model.`,
		Example: "  amend model ls\n  amend model ls --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			caches := models.CachesFrom(os.Getenv)
			found := caches.List()
			if asJSON {
				if found == nil {
					found = []models.Found{}
				}
				return render.JSON(cmd.OutOrStdout(), map[string]any{"models": found, "looked_in": caches.Places()})
			}
			if len(found) == 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "no models in %s; `make models` fetches smollm2\n", strings.Join(caches.Places(), ", "))
				return nil
			}
			return printModels(cmd.OutOrStdout(), found)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func printModels(w io.Writer, found []models.Found) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "NAME\tARCH\tPARAMETERS\tTYPE\tCONTEXT\tSIZE\tFROM\tNOTE")
	for _, f := range found {
		if f.Info == nil {
			fmt.Fprintf(tw, "%s\t-\t-\t-\t-\t-\t%s\t%s\n", f.Name, f.Source, note(f, f.Fault))
			continue
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", f.Name, f.Info.Architecture, render.Count(f.Info.Parameters),
			render.OrNone(f.Info.Quantization), f.Info.Context, render.Bytes(f.Info.SizeBytes), f.Source, note(f, f.Info.WhyNot))
	}
	return tw.Flush()
}

// note is what is wrong with a model, without its path: the row has its name.
func note(f models.Found, text string) string {
	return strings.TrimLeft(strings.TrimPrefix(text, f.Path), ": ")
}

func newModelInspectCommand() *cobra.Command {
	var asJSON, noSum bool
	cmd := &cobra.Command{
		Use:     "inspect MODEL",
		Short:   "Describe a model: architecture, size, quantization, context, tokenizer, checksum",
		Example: "  amend model inspect smollm2\n  amend model inspect big-00001-of-00003.gguf --no-sha256 --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := openModel(args[0])
			if err != nil {
				return err
			}
			info := m.Info()
			if !noSum {
				if info.SHA256, err = m.SHA256(cmd.Context()); err != nil {
					return err
				}
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), info)
			}
			return printInfo(cmd.OutOrStdout(), info)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&noSum, "no-sha256", false, "leave out the checksum, for which the whole file is read")
	return cmd
}

// openModel finds a model by name or path and checks its file.
func openModel(name string) (*models.Model, error) {
	path, err := models.CachesFrom(os.Getenv).Resolve(name)
	if err != nil {
		return nil, err
	}
	return models.Open(path)
}

// mayWrite keeps a model that exists from being replaced unasked.
func mayWrite(path string, force bool) error {
	if _, err := os.Lstat(path); err == nil && !force {
		return usage(fmt.Errorf("%s exists; --force replaces it", path))
	}
	return nil
}

func printInfo(w io.Writer, info models.Info) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(tw, name+"\t"+format+"\n", args...) }
	row("path", "%s", info.Path)
	if info.Parts > 1 {
		row("parts", "%d", info.Parts)
	}
	row("name", "%s", render.OrNone(info.Name))
	row("architecture", "%s", render.OrNone(info.Architecture))
	row("parameters", "%d", info.Parameters)
	row("quantization", "%s, %.2f bits a weight", render.OrNone(info.Quantization), info.BitsPerWeight)
	for _, t := range info.TensorTypes {
		row("", "%s: %d tensors, %s weights, %s", t.Type, t.Tensors, render.Count(t.Parameters), render.Bytes(t.Bytes))
	}
	row("context", "%d tokens", info.Context)
	row("layers", "%d of %d, feed-forward %d", info.Layers, info.Embedding, info.FeedForward)
	row("heads", "%d, KV heads %d, of %d", info.Heads, info.KVHeads, info.HeadDim)
	row("KV cache", "%d bytes a token in f16", info.KVBytesPerToken)
	tokenizer := render.OrNone(info.Tokenizer)
	if info.PreTokenizer != "" {
		tokenizer += ", " + info.PreTokenizer
	}
	row("tokenizer", "%s, %d tokens", tokenizer, info.Vocabulary)
	if info.ChatTemplate {
		row("chat template", "yes, sha256 %s", info.TemplateSHA256)
	} else {
		row("chat template", "none")
	}
	row("size", "%d bytes", info.SizeBytes)
	if info.SHA256 != "" {
		row("sha256", "%s", info.SHA256)
	}
	if !info.Runnable {
		row("cannot run", "%s", info.WhyNot)
	}
	return tw.Flush()
}

func newModelVerifyCommand() *cobra.Command {
	var asJSON bool
	var want string
	cmd := &cobra.Command{
		Use:   "verify MODEL",
		Short: "Check a model file's structure and checksum",
		Long: `Check every count, length, offset and size in a model file, and its sha256 against --sha256, or else against
what is known: for smollm2 the project's own figure, for a file in a Hugging Face cache the one it is stored under.`,
		Example: "  amend model verify smollm2\n  amend model verify model.gguf --sha256 b179c952…",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := models.CachesFrom(os.Getenv).Resolve(args[0])
			if err != nil {
				return err
			}
			v, err := models.Verify(cmd.Context(), path, want)
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), v)
			}
			against := "nothing to compare it with: give --sha256"
			if v.Expected != "" {
				against = "as expected (" + v.Expected + ")"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\nstructure  sound: %d tensors, %s\nsha256     %s, %s\n", v.Path, v.Tensors, render.Bytes(v.SizeBytes), v.SHA256, against)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&want, "sha256", "", "the checksum that the file must have, in hexadecimal")
	return cmd
}
