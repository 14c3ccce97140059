package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/render"
)

// newPreferCommand is `amend prefer`, the commands for preference models.
func newPreferCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prefer",
		Short: "Train a preference model on labels, and score answers with it",
		Long: `Train a preference model on the labels of amend feedback, and score answers with it (Bai et al. 2022,
section 4). It is linear in the hidden states that a language model has over an answer, so that training takes seconds
once those are there.`,
		Example: `  amend feedback runs/first --draws 3
  amend prefer train runs/first --out preference.json
  amend prefer best runs/samples --preference preference.json
  amend prefer score preference.json --prompts answers.jsonl > scores.jsonl`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPreferTrainCommand(), newPreferScoreCommand(), newPreferBestCommand())
	return cmd
}

func newPreferTrainCommand() *cobra.Command {
	c := app.DefaultTrainPreferenceConfig()
	var o outputFlags
	cmd := &cobra.Command{
		Use:   "train [DIR] [--pairs FILE] --out FILE",
		Short: "Train a preference model on a judge's labels, or on people's",
		Long: `Train a preference model on the labels that amend feedback has written into a run directory or a folder of its own, on the
known preferences of a data set (--pairs FILE --labels known), or on both, as the paper does: the judge's labels for
harmlessness, and people's for helpfulness (DIR --pairs FILE --labels mixed).

Hidden states of the answers are computed once and kept, in DIR or, of --pairs, beside the preference model. Pooling and
penalty are chosen by cross-validation that keeps a prompt's pairs together. A share of the prompts is held out. There the
model is compared with the judge, with length alone and with refusals alone. With --test-on the model is trained on all
prompts, and compared on prompts that only the other directory, or preference set, has pairs of.`,
		Example: "  amend prefer train runs/first --out preference.json\n  amend prefer train labels --model big.gguf --out preference.json --json\n  amend prefer train --pairs hh-rlhf.jsonl.gz --labels known --model big.gguf --out people.json\n  amend prefer train runs/first --test-on runs/others --out preference.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				c.Dir = args[0]
			}
			if c.TestOn != "" && cmd.Flags().Changed("test") {
				return &failure.FieldError{Field: "test", Value: c.Test, Want: "holds out prompts of what is learnt, and --test-on " + c.TestOn + " takes others: give one of the two"}
			}
			if len(c.Pairs) == 0 && c.TestOn == "" {
				if err := givenWithout(cmd.Flags(), "is for the columns of --pairs and --test-on", "map"); err != nil {
					return err
				}
			}
			return working(cmd, o, func(env app.Env) (func() error, error) {
				r, err := app.TrainPreference(cmd.Context(), env, c)
				return func() error { return render.PreferenceReport(cmd.OutOrStdout(), r, o.json) }, err
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&c.Model, "model", "m", "", "model whose hidden states are read: a path, or a name that amend model ls shows (default the run's own, or the judge if that is the testbed)")
	f.StringArrayVar(&c.Pairs, "pairs", nil, "preference set whose known preferences are labels, read as amend feedback --pairs does: a file, a folder or a pattern, repeatable")
	f.StringArrayVar(&c.Map, "map", nil, mapUsage)
	f.StringVar((*string)(&c.Labels), "labels", string(c.Labels), "whose labels are learnt: judge (of DIR), known (what is known of the pairs of DIR and --pairs) or mixed (the judge's of DIR, what is known of --pairs)")
	f.StringVarP(&c.Out, "out", "o", "", "file to write the preference model to (required)")
	f.Float64Var(&c.Test, "test", c.Test, "share of prompts to hold out, by hash of the prompt")
	f.StringVar(&c.TestOn, "test-on", "", "directory with labels of other prompts, or preference set of them (a file or a pattern), to compare the model on instead of held-out prompts")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	addComputeFlags(f, &c.Compute, "answer")
	o.addFlags(f)
	return cmd
}

func newPreferScoreCommand() *cobra.Command {
	c := app.DefaultScoreConfig()
	var o outputFlags
	cmd := &cobra.Command{
		Use:   "score PREFERENCE --prompts FILE",
		Short: "Score answers with a preference model",
		Long: `Score answers: rows with a response, or whose last message is the assistant's, as amend run reads them. Prints a line of
JSON for each, with id and score. Scores are comparable only between answers to the same prompt.`,
		Example: "  amend prefer score preference.json --prompts answers.jsonl",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.Preference = args[0]
			return working(cmd, o, func(env app.Env) (func() error, error) {
				scores, err := app.ScoreAnswers(cmd.Context(), env, c)
				return func() error { return render.Scores(cmd.OutOrStdout(), scores) }, err
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&c.Model, "model", "m", c.Model, "model that the preference model was trained on: a path, or a name that amend model ls shows (required)")
	f.StringArrayVarP((*[]string)(&c.Prompts), "prompts", "p", nil, "answers: rows with prompt and response, or messages; a file, a folder or a pattern, repeatable; - is standard input (required)")
	f.StringArrayVar(&c.Map, "map", nil, mapUsage)
	f.IntVarP(&c.Limit, "limit", "n", 0, "take only the first N rows; 0 takes all")
	addComputeFlags(f, &c.Compute, "answer")
	o.addFlags(f)
	return cmd
}
