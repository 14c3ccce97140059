package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/engine"
	"amend/engine/feedback"
)

// feedbackOptions are the flags of `amend feedback`.
type feedbackOptions struct {
	modelFlags
	engineFlags
	run   string // the run directory whose answers are judged; "" for --pairs
	given *pflag.FlagSet

	pairs, out    string
	limit         int
	rounds        []int
	constitutions []string
	principles    []string

	samples sampleFlags

	draws      int
	layout     string
	pairing    string
	minMass    float64
	reasonings int
	clamp      []float64
	maxTokens  int
	sampling   engine.Sampling
	seed       uint64
	report     bool
	json       bool
}

func (o *feedbackOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.model, "judge", "", "the judge, a GGUF model: a path, or a name that amend model ls shows (default the run's critic: its --critic or --model, with its --critic-lora; testbed for --pairs)")
	f.StringVar(&o.pairs, "pairs", "", "judge the pairs of a preference set: JSONL with chosen and rejected, or the HHH comparisons; also gzipped; - is standard input")
	f.StringVar(&o.out, "out", "", "the folder of the labels: needed with --pairs and --prompts; of a run it is the run directory")
	f.IntVar(&o.limit, "limit", 0, "take only the first N pairs, with --prompts the first N prompts; 0 takes all")
	f.IntSliceVar(&o.rounds, "rounds", nil, "two rounds of a run whose answers are compared, 0 being the first response (default 0 and the last; of a run with --samples its samples)")
	f.StringArrayVar(&o.constitutions, "constitution", nil, "a constitution: a name that amend constitution ls shows, or a path; later ones lie on top of earlier ones (default the run's own; for --pairs hhh, for the testbed its own)")
	f.StringSliceVar(&o.principles, "principles", nil, "draw only from these principles: ids and tags, separated by commas")

	o.samples.addFlags(f)

	f.IntVar(&o.draws, "draws", 1, "principles drawn for each pair, whose judgements are averaged; each is asked in both orders")
	f.StringVar(&o.layout, "layout", string(feedback.OptionsFirst), "where the principle stands: options-first (behind the two answers, which are then read once for all principles) or principle-first (the paper's)")
	f.StringVar(&o.pairing, "pairing", pairNeighbours, "which samples of a prompt are compared: neighbours (the first with the second, the third with the fourth) or first (all others with the first, for amend prefer best --by-labels)")
	f.Float64Var(&o.minMass, "min-mass", defaultMinMass, minMassUsage)
	f.IntVar(&o.reasonings, "reasonings", 0, "let the judge think N times, each time anew, before it answers; 0 asks for the answer straight away")
	f.Float64SliceVar(&o.clamp, "clamp", []float64{0.4, 0.6}, "with --reasonings: hold each probability between these two, as the paper does; 0.4,0.6 leaves labels a margin of 0.2 at most")
	f.IntVar(&o.maxTokens, "max-tokens", 256, "with --reasonings: most tokens of one")
	f.Float64Var(&o.sampling.Temperature, "temperature", 1, "of reasonings; 0 takes the likeliest token")
	f.Float64Var(&o.sampling.TopP, "top-p", 1, "of reasonings: keep the likeliest tokens that make up this much")
	f.IntVar(&o.sampling.TopK, "top-k", 0, "of reasonings: keep the K likeliest tokens; 0 keeps all")
	f.Float64Var(&o.sampling.MinP, "min-p", 0, "of reasonings: keep tokens at least this likely relative to the likeliest")
	f.Uint64Var(&o.seed, "seed", 0, "the seed of everything that is drawn")
	f.BoolVar(&o.report, "report", false, "say how far the labels can be trusted, and where it is known which answers are better, how often they are right")
	f.BoolVar(&o.json, "json", false, "print the summary as one JSON object")
	o.modelFlags.addFlags(f)
	o.engineFlags.addFlags(f)
}

// validate checks what flags alone can tell. Its errors name flag and range.
func (o *feedbackOptions) validate() error {
	switch {
	case one(o.run != "")+one(o.pairs != "")+one(o.samples.prompts != "") != 1:
		return errors.New("what is to be judged? Give either a run directory, --pairs FILE, or --prompts FILE for answers that are drawn first (see amend feedback --help)")
	case o.run == "" && o.out == "":
		return errors.New("--out is missing: the folder that the labels go to")
	case o.run != "" && o.out != "":
		return fmt.Errorf("--out %s: the labels of a run go into its own directory, %s", o.out, o.run)
	case o.run == "" && o.rounds != nil:
		return errors.New("--rounds is of runs that are there, and --pairs and --prompts have none")
	case o.given.Changed("pairing") && (o.pairs != "" || o.rounds != nil):
		return errors.New("--pairing is of samples: --pairs and --rounds say by themselves what is compared")
	case o.rounds != nil && (len(o.rounds) != 2 || o.rounds[0] == o.rounds[1] || slices.Min(o.rounds) < 0):
		return fmt.Errorf("--rounds %v: must be two different rounds, 0 or more, such as 0,2", o.rounds)
	case !(o.minMass >= 0 && o.minMass <= 1): // also NaN
		return fmt.Errorf("--min-mass %g: must be from 0 to 1", o.minMass)
	case len(o.clamp) != 2 || !(o.clamp[0] >= 0 && o.clamp[1] <= 1 && o.clamp[0] < o.clamp[1]):
		return fmt.Errorf("--clamp %v: must be two numbers from 0 to 1, the lower one first", o.clamp)
	}
	if err := within([]limits{
		{"--limit", o.limit, 0, 1 << 40},
		{"--draws", o.draws, 1, 1000},
		{"--reasonings", o.reasonings, 0, 1000},
		{"--max-tokens", o.maxTokens, 1, mostTokens},
	}); err != nil {
		return err
	}
	var layouts []string
	for _, l := range feedback.PromptOrders() {
		layouts = append(layouts, string(l))
	}
	if err := oneOf([]choice{{"--layout", o.layout, layouts}, {"--pairing", o.pairing, []string{pairNeighbours, pairFirst}}}); err != nil {
		return err
	}
	if err := o.sampling.Validate(); err != nil {
		return err
	}
	return cmp.Or(o.unusedReasoning(), o.samples.validate(o.given), o.modelFlags.validate(), o.engineFlags.validate())
}

// unusedReasoning refuses what is of reasonings where there are none.
func (o *feedbackOptions) unusedReasoning() error {
	for _, name := range []string{"clamp", "max-tokens", "temperature", "top-p", "top-k", "min-p"} {
		if !o.given.Changed(name) || o.reasonings > 0 {
			continue
		}
		err := fmt.Errorf("--%s is of reasonings: give --reasonings too", name)
		if o.samples.prompts != "" {
			err = fmt.Errorf("%w; answers drawn here come as amend run draws them by default: for others give amend run --samples %d --revisions 0 and what they are to be drawn with, then amend feedback RUN", err, o.samples.number)
		}
		return err
	}
	return nil
}

// newFeedbackCommand is `amend feedback`.
func newFeedbackCommand() *cobra.Command {
	var o feedbackOptions
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
			if len(args) == 1 {
				o.run = args[0]
			}
			o.given = cmd.Flags()
			if err := o.validate(); err != nil {
				return usage(err)
			}
			if o.samples.prompts != "" {
				return judgeSamples(cmd, o)
			}
			return runFeedback(cmd, o)
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}
