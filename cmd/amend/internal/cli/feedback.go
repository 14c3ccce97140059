package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/app"
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
	f.StringVar(&o.Judge, "judge", "", "judge, a GGUF model: a path, or a name that amend model ls shows (default the run's critic: its --critic or --model, with its --critic-lora; required for --pairs)")
	f.StringArrayVar((*[]string)(&o.Pairs), "pairs", nil, "judge the pairs of a preference set: a file, a folder or a pattern, repeatable, with chosen and rejected or other known columns (amend data inspect --pairs shows how it is read); - is standard input")
	f.StringArrayVar(&o.Map, "map", nil, mapUsage)
	f.StringVarP(&o.Out, "out", "o", "", "folder of the labels, required with --pairs and --prompts; labels of a run go into the run directory")
	f.IntVarP(&o.Limit, "limit", "n", 0, "take only the first N pairs (with --prompts, the first N prompts); 0 takes all")
	f.IntSliceVar(&o.Rounds, "rounds", nil, "the two rounds of a run to compare; 0 is the first response (default 0 and the last, or the samples of a run with --samples)")
	f.StringArrayVarP(&o.Constitution, "constitution", "c", nil, constitutionUsage+" (default the run's own; for --pairs hhh, for the testbed its own)")
	f.StringSliceVar(&o.Principles, "principles", nil, "draw only from these principles: ids and tags, separated by commas")
	o.sourceFlags.addFlags(f, "labels", "what is judged, --constitution, --principles and --out")

	f.StringArrayVarP((*[]string)(&o.Prompts), "prompts", "p", nil, "first sample answers to these prompts, as amend run does, --samples of each, into the run directory --out; - is standard input")
	f.IntVar(&o.Samples, "samples", o.Samples, "with --prompts: answers to each prompt")
	f.StringVarP(&o.Model, "model", "m", o.Model, "with --prompts: the model that answers (required); without its adapter it is also the judge, unless --judge is given")
	f.StringVar(&o.LoRA, "lora", "", "with --prompts: LoRA adapter for the model that answers, PATH or PATH=SCALE")

	f.IntVar(&o.Draws, "draws", o.Draws, "principles drawn for each pair; each is judged in both orders, and the judgements are averaged")
	f.StringVar((*string)(&o.Layout), "layout", string(o.Layout), "how the judge is asked: by-principle (under principles with a verdict_request about each answer alone), options-first (which of two answers; they are read once for all principles) or principle-first (as in the paper) (default by-principle where the constitution has verdict requests and there are no reasonings, else options-first)")
	f.StringVar((*string)(&o.Pairing), "pairing", "", "which samples of a prompt are compared: neighbours (first with second, third with fourth) or first (all others with the first, for amend prefer best --by-labels) (default neighbours)")
	f.Float64Var(&o.MinMass, "min-mass", o.MinMass, minMassUsage)
	f.BoolVar(&o.Untested, "untested", false, untestedUsage)
	f.IntVar(&o.Reasonings, "reasonings", 0, "let the judge reason before it answers, N times independently; 0: no reasoning")
	f.Float64SliceVar(&o.Clamp, "clamp", o.Clamp, "with --reasonings: clamp each probability to this range, as in the paper; 0.4,0.6 limits a label's margin to 0.2")
	f.IntVar(&o.MaxTokens, "max-tokens", o.MaxTokens, "with --reasonings: maximum tokens of one")
	f.Float64Var(&o.Temperature, "temperature", o.Temperature, "with --reasonings: sampling temperature; 0 takes the likeliest token")
	f.Float64Var(&o.TopP, "top-p", o.TopP, "with --reasonings: keep the likeliest tokens whose probabilities add up to this")
	f.IntVar(&o.TopK, "top-k", o.TopK, "with --reasonings: keep the K likeliest tokens; 0 keeps all")
	f.Float64Var(&o.MinP, "min-p", o.MinP, "with --reasonings: keep tokens at least this likely, relative to the likeliest")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of everything that is drawn")
	f.BoolVar(&o.Report, "report", false, "report how far the labels can be trusted and, where the better answers are known, how often they are right")
	f.BoolVar(&o.json, "json", false, "print the summary as one JSON object")
	addComputeFlags(f, &o.Compute, "judgement")
	addContextFlags(f, &o.Context, "judgement")
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
	judged(&c, flags, args)
	return c, errors.Join(unusedMap(c, flags), unusedSampling(c, flags), unusedReasoning(c, flags))
}

// unusedMap refuses names of columns where no file is read.
func unusedMap(c app.FeedbackConfig, flags *pflag.FlagSet) error {
	if c.Run == "" {
		return nil
	}
	return givenWithout(flags, "is for the columns of --pairs and --prompts: a run has its own rows", "map")
}

// judged takes what the command line says is judged, in place of what a file says.
func judged(c *app.FeedbackConfig, flags *pflag.FlagSet, args []string) {
	switch {
	case len(args) == 1:
		c.Run = args[0]
		if !flags.Changed("pairs") {
			c.Pairs = nil
		}
		if !flags.Changed("prompts") {
			c.Prompts = nil
		}
		if !flags.Changed("out") {
			c.Out = ""
		}
	case flags.Changed("pairs"), flags.Changed("prompts"):
		c.Run = ""
		if !flags.Changed("pairs") {
			c.Pairs = nil
		}
		if !flags.Changed("prompts") {
			c.Prompts = nil
		}
	}
}

// unusedSampling refuses settings of answers that are sampled, where none are.
func unusedSampling(c app.FeedbackConfig, flags *pflag.FlagSet) error {
	if len(c.Prompts) > 0 {
		return nil
	}
	return givenWithout(flags, "is for answers that are sampled here: give --prompts too, or --judge for the model that judges", "samples", "model", "lora")
}

// unusedReasoning refuses settings of reasonings, where there are none.
func unusedReasoning(c app.FeedbackConfig, flags *pflag.FlagSet) error {
	if c.Reasonings > 0 {
		return nil
	}
	want := "is a setting of reasonings: give --reasonings too"
	if len(c.Prompts) > 0 {
		want += fmt.Sprintf("; answers are sampled here with the defaults of amend run: for other settings use amend run --samples %d --revisions 0, then amend feedback RUN", c.Samples)
	}
	return givenWithout(flags, want, "clamp", "max-tokens", "temperature", "top-p", "top-k", "min-p")
}

// newFeedbackCommand is `amend feedback`.
func newFeedbackCommand() *cobra.Command {
	var o feedbackFlags
	cmd := &cobra.Command{
		Use:   "feedback (RUN | --pairs FILE --out DIR | --prompts FILE --samples N --out DIR)",
		Short: "Label pairs of answers by AI feedback, and say how far the labels can be trusted",
		Long: `Have a model say which of two answers follows a principle better (Bai et al. 2022, section 4). The answers are those of
two rounds of a run, the samples of a prompt (amend run --samples, or sampled first with --prompts), or the pairs of a
preference set. A label is the probability that the first answer is the better one: how likely the judge finds "(A)" and
"(B)", asked in both orders under each principle that is drawn for the pair, and averaged. Nothing is sampled, unless
--reasonings lets the judge reason first.

Judgements are kept in feedback.db and reused. To continue, run the same command again. Another constitution costs only the
judgements under edited principles, and the summary says how many labels it flips. (With --prompts the run has the same
constitution: to judge its answers under another one, give the run directory.)

Where the better answers are known (a preference set names them, the testbed's oracle knows them), --report compares the
labels with them.

Exit codes: 0 done, 2 bad usage or input, 3 finished with pairs that could not be judged or read (the same command tries
them again), 42 cannot work, 75 stopped early, 130 interrupted; after 75 and 130, and after a crash, the same command
continues.`,
		Example: `  amend feedback runs/first --draws 3 --report
  amend feedback runs/first --constitution edited.yaml --draws 3
  amend feedback --prompts prompts.jsonl --samples 4 --model big.gguf --out runs/samples --draws 3
  amend feedback --pairs hh-rlhf.jsonl.gz --out labels --judge big.gguf --report --json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: first(completeRun),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.settings(cmd.Flags(), args)
			if err != nil {
				return err
			}
			return working(cmd, o.outputFlags, func(env app.Env) (func() error, error) {
				r, err := app.Feedback(cmd.Context(), env, c)
				return func() error { return render.Feedback(cmd.OutOrStdout(), r, o.json) }, err
			})
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}
