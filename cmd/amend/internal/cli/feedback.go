package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/render"
)

// feedbackFlags are the flags of `amend feedback`: settings, and options of this one command.
type feedbackFlags struct {
	app.FeedbackConfig
	outputFlags
	sourceFlags
}

func (o *feedbackFlags) addFlags(f *pflag.FlagSet) {
	o.FeedbackConfig = app.DefaultFeedbackConfig()
	f.StringVar(&o.Judge, "judge", "", "the judge, a GGUF model: a path, or a name that amend model ls shows (default the run's critic: its --critic or --model, with its --critic-lora; testbed for --pairs)")
	f.StringVar(&o.Pairs, "pairs", "", "judge the pairs of a preference set: JSONL with chosen and rejected, or the HHH comparisons; also gzipped; - is standard input")
	f.StringVar(&o.Out, "out", "", "the folder of the labels: needed with --pairs and --prompts; of a run it is the run directory")
	f.IntVar(&o.Limit, "limit", 0, "take only the first N pairs, with --prompts the first N prompts; 0 takes all")
	f.IntSliceVar(&o.Rounds, "rounds", nil, "two rounds of a run whose answers are compared, 0 being the first response (default 0 and the last; of a run with --samples its samples)")
	f.StringArrayVar(&o.Constitution, "constitution", nil, constitutionUsage+" (default the run's own; for --pairs hhh, for the testbed its own)")
	f.StringSliceVar(&o.Principles, "principles", nil, "draw only from these principles: ids and tags, separated by commas")
	o.sourceFlags.addFlags(f, "labels")

	f.StringVar(&o.Prompts, "prompts", "", "draw answers to these prompts first, as amend run does, --samples of each, into the run directory --out; - is standard input")
	f.IntVar(&o.Samples, "samples", o.Samples, "with --prompts: answers drawn to each prompt")
	f.StringVar(&o.Model, "model", o.Model, "with --prompts: the model that answers; without its adapter it is the judge too, unless --judge is given")
	f.StringVar(&o.LoRA, "lora", "", "with --prompts: a LoRA adapter on it, PATH or PATH=SCALE")

	f.IntVar(&o.Draws, "draws", o.Draws, "principles drawn for each pair, whose judgements are averaged; each is asked in both orders")
	f.StringVar((*string)(&o.Layout), "layout", string(o.Layout), "where the principle stands: options-first (behind the two answers, which are then read once for all principles) or principle-first (the paper's)")
	f.StringVar((*string)(&o.Pairing), "pairing", "", "which samples of a prompt are compared: neighbours (the first with the second, the third with the fourth) or first (all others with the first, for amend prefer best --by-labels) (default neighbours)")
	f.Float64Var(&o.MinMass, "min-mass", o.MinMass, minMassUsage)
	f.IntVar(&o.Reasonings, "reasonings", 0, "let the judge think N times, each time anew, before it answers; 0 asks for the answer straight away")
	f.Float64SliceVar(&o.Clamp, "clamp", o.Clamp, "with --reasonings: hold each probability between these two, as the paper does; 0.4,0.6 leaves labels a margin of 0.2 at most")
	f.IntVar(&o.MaxTokens, "max-tokens", o.MaxTokens, "with --reasonings: most tokens of one")
	f.Float64Var(&o.Temperature, "temperature", o.Temperature, "of reasonings; 0 takes the likeliest token")
	f.Float64Var(&o.TopP, "top-p", o.TopP, "of reasonings: keep the likeliest tokens that make up this much")
	f.IntVar(&o.TopK, "top-k", o.TopK, "of reasonings: keep the K likeliest tokens; 0 keeps all")
	f.Float64Var(&o.MinP, "min-p", o.MinP, "of reasonings: keep tokens at least this likely relative to the likeliest")
	f.Uint64Var(&o.Seed, "seed", 0, "the seed of everything that is drawn")
	f.BoolVar(&o.Report, "report", false, "say how far the labels can be trusted, and where it is known which answers are better, how often they are right")
	f.BoolVar(&o.json, "json", false, "print the summary as one JSON object")
	addComputeFlags(f, &o.Compute)
	addContextFlags(f, &o.Context)
	o.outputFlags.addFlags(f)
}

// settings returns the settings of labelling. In order of precedence: flags that were given, a config file, other labels,
// defaults.
func (o *feedbackFlags) settings(flags *pflag.FlagSet, args []string) (app.FeedbackConfig, error) {
	c, err := app.ResolveFeedback(o.like, o.config)
	if err != nil {
		return c, err
	}
	overlay(&c, &o.FeedbackConfig, flags)
	c.Report = o.Report
	if len(args) == 1 {
		c.Run = args[0]
	}
	return c, errors.Join(unusedSampling(c, flags), unusedReasoning(c, flags))
}

// unusedSampling refuses settings of answers that are sampled, where none are.
func unusedSampling(c app.FeedbackConfig, flags *pflag.FlagSet) error {
	if c.Prompts != "" {
		return nil
	}
	return givenWithout(flags, "is of answers that are drawn here: give --prompts too, or --judge for the model that judges", "samples", "model", "lora")
}

// unusedReasoning refuses settings of reasonings, where there are none.
func unusedReasoning(c app.FeedbackConfig, flags *pflag.FlagSet) error {
	if c.Reasonings > 0 {
		return nil
	}
	want := "is of reasonings: give --reasonings too"
	if c.Prompts != "" {
		want += fmt.Sprintf("; answers drawn here come as amend run draws them by default: for others give amend run --samples %d --revisions 0 and what they are to be drawn with, then amend feedback RUN", c.Samples)
	}
	return givenWithout(flags, want, "clamp", "max-tokens", "temperature", "top-p", "top-k", "min-p")
}

// newFeedbackCommand is `amend feedback`.
func newFeedbackCommand() *cobra.Command {
	var o feedbackFlags
	cmd := &cobra.Command{
		Use:   "feedback (RUN | --pairs FILE --out DIR | --prompts FILE --samples N --out DIR)",
		Short: "Label pairs of answers by AI feedback, and say how far the labels can be trusted",
		Long: `Have a model say which of two answers keeps better to a principle (Bai et al. 2022, section 4): the answers of
two rounds of a run, the samples of a prompt (amend run --samples, or drawn first with --prompts), or the pairs of a preference set. A label is the
probability that the first of the two is the better one: how likely the judge finds "(A)" and "(B)" as its answer,
asked in both orders, under each principle that is drawn for the pair, and averaged. Nothing is sampled, unless --reasonings lets the judge think first.

Judgements are kept in feedback.db and never made twice: the same command continues, and another constitution costs only
the judgements under what was edited, and says how many labels it turns around. (With --prompts the constitution is the
run's, too: to judge drawn answers under another, give the run directory.)

Where it is known which answers are better (a preference set says so, and of the testbed's answers the oracle), --report
holds the labels against it.

Exit codes: 0 done, 2 bad usage or input, 3 finished with pairs that could not be judged or read (the same command tries
them again), 42 cannot work, 75 stopped early, 130 interrupted; after 75 and 130, and after a death of the process, the
same command continues.`,
		Example: `  amend feedback runs/first --draws 3 --report
  amend feedback runs/first --constitution edited.yaml --draws 3
  amend feedback --prompts prompts.jsonl --samples 4 --model big.gguf --out runs/samples --draws 3
  amend feedback --pairs hh-rlhf.jsonl.gz --out labels --judge big.gguf --report --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.settings(cmd.Flags(), args)
			if err != nil {
				return err
			}
			return working(cmd, o.outputFlags, func(env app.Env) error {
				r, err := app.Feedback(cmd.Context(), env, c)
				return finished(err, func() error { return render.Feedback(cmd.OutOrStdout(), r, o.json) })
			})
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}

// finished shows a result, also if some of its rows failed.
func finished(err error, show func() error) error {
	var failed *failure.RowsError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	if shown := show(); shown != nil {
		return shown
	}
	return err
}
