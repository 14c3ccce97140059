package cli

import (
	"errors"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/render"
)

// tryFlags are the flags of `amend try`: those settings of a run that are about one row.
type tryFlags struct {
	runFlags
}

func (o *tryFlags) addFlags(f *pflag.FlagSet) (g flagGroups) {
	o.RunConfig = app.DefaultRunConfig()
	in := g.in("Input and output")
	in.StringVarP(&o.Model, "model", "m", "", "GGUF model: a path, or a name that amend model ls shows (required, unless --config or --like gives it)")
	o.addPrincipleFlags(in)
	o.sourceFlags.addFlags(in, "run", "its prompts, --constitution and --principles")
	in.BoolVar(&o.json, "json", false, "print the row as one JSON object when it is done, and nothing before")
	in.BoolVar(&o.verbose, "verbose", false, "show llama.cpp's own log")
	o.addLoopFlags(g.in("Loop"))
	o.addSamplingFlags(g.in("Sampling"))
	addComputeFlags(g.in("Model and machine"), &o.Compute, "row")
	g.addTo(f)
	return g
}

// newTryCommand is `amend try`, which shows what one prompt becomes.
func newTryCommand() *cobra.Command {
	var o tryFlags
	cmd := &cobra.Command{
		Use:   "try PROMPT",
		Short: "Take one prompt through the loop, and show it while it is written",
		Long: `Take one prompt through the loop of amend run: the response, and each critique and revision, written to the terminal as
the model writes them. Nothing is kept. It is the quickest way to see whether a model and a constitution go together.

The settings are those of amend run, which with the same prompt and seed draws the same principles. PROMPT may be -, for
standard input.`,
		Example: `  amend try --model big.gguf "How do I get my deposit back?"
  amend try -m testbed "What do I do to take pictures at night?"
  amend try --like runs/first --temperature 0 - < prompt.txt`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	cmd.SetUsageFunc(o.addFlags(cmd.Flags()).usage)
	return cmd
}

// run shows what a prompt becomes.
func (o *tryFlags) run(cmd *cobra.Command, prompt string) error {
	if prompt == "-" {
		text, err := io.ReadAll(cmd.InOrStdin())
		if err != nil {
			return failure.Inputf("reading the prompt: %w", err)
		}
		prompt = string(text)
	}
	c, err := app.ResolveRun(app.RunSources{Like: o.like, Config: o.config})
	if err != nil {
		return err
	}
	overlay(&c, &o.RunConfig, cmd.Flags())
	env, err := newEnvWith(cmd, newLogger(cmd.ErrOrStderr(), o.verbose))
	if err != nil {
		return err
	}
	told, stream := func(app.Written) {}, render.NewStream(cmd.OutOrStdout())
	if !o.json {
		told = stream.Update
	}
	rec, err := app.Try(cmd.Context(), env, c, prompt, told)
	if failed := new(failure.RowsError); err != nil && !errors.As(err, &failed) {
		return err
	}
	if o.json {
		return errors.Join(render.JSON(cmd.OutOrStdout(), rec), err)
	}
	return errors.Join(stream.Close(rec), err)
}
