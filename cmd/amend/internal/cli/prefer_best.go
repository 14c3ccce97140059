package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

func newPreferBestCommand() *cobra.Command {
	c := app.DefaultBestConfig()
	var o outputFlags
	cmd := &cobra.Command{
		Use:   "best RUN (--preference FILE | --by-labels)",
		Short: "Take the best of n samples by a preference model or the judge, and show what that does",
		Long: `Score every sample of a run (amend run --samples). Show the best of 1, 2, 4, … samples. The score never falls as n grows;
the other columns show whether the answers improve. Prompts that the preference model was trained on are left out. Where
an oracle knows the answers, it counts those that break a rule. Elsewhere length, refusals and repetition show when a
preference model is over-optimised.

With --by-labels the judge itself chooses, by the labels of amend feedback RUN --pairing first. They compare every sample
of a prompt with its first.`,
		Example: `  amend run --prompts prompts.jsonl --samples 64 --revisions 0 --out runs/samples
  amend prefer best runs/samples --preference preference.json --out best.jsonl`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: first(completeRun),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.Run = args[0]
			return working(cmd, o, func(env app.Env) (func() error, error) {
				r, err := app.Best(cmd.Context(), env, c)
				return func() error { return render.Best(cmd.OutOrStdout(), r, o.json) }, err
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&c.Model, "model", "m", "", "model that the preference model was trained on: a path, or a name that amend model ls shows (default the run's own)")
	f.StringVar(&c.Preference, "preference", "", "file of the preference model")
	f.BoolVar(&c.ByLabels, "by-labels", false, "choose by the judge's labels of amend feedback RUN --pairing first")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.StringVarP(&c.Out, "out", "o", "", "file to write each prompt with its best answer to, as JSONL")
	addComputeFlags(f, &c.Compute, "answer")
	o.addFlags(f)
	return cmd
}
