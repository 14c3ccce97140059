package cli

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
	"amend/cmd/amend/internal/runner"
	"amend/engine/evalset"
)

// evalFlags are the flags of `amend eval`.
type evalFlags struct {
	app.EvaluateConfig
	run app.EvaluateRunConfig
	outputFlags
}

func (o *evalFlags) addFlags(f *pflag.FlagSet) {
	o.EvaluateConfig, o.run = app.DefaultEvaluateConfig(), app.DefaultEvaluateRunConfig()
	f.StringVar((*string)(&o.Set), "set", "", "measure on FILE, which is such a set: "+list(evalset.Sets()))
	f.StringVarP(&o.Model, "model", "m", "", "a path, or a name that amend model ls shows: with --set the model that is measured (required), with --preference the one whose hidden states are read")
	f.StringVar(&o.LoRA, "lora", "", "with --set: LoRA adapter, PATH or PATH=SCALE")
	f.StringVarP(&o.Out, "out", "o", "", "folder of what is computed (default evals/SET-MODEL, for a run evals/run-RUN)")
	f.IntVarP(&o.Limit, "limit", "n", 0, "take only the first N items or rows; 0 takes all")
	f.IntVar(&o.MaxTokens, "max-tokens", o.MaxTokens, "with --set xstest: maximum tokens of an answer")
	f.StringVar(&o.run.Against, "against", "", "compare the run's final answers with those of this run of the same prompts")
	f.StringVar(&o.run.Judge, "judge", "", "a model that says which of two answers of a run is better, in both orders")
	f.StringArrayVarP(&o.run.Constitution, "constitution", "c", nil, "with --judge the "+constitutionUsage+" (default the run's own)")
	f.IntVar(&o.run.Draws, "draws", o.run.Draws, "with --judge: principles drawn for each pair of answers")
	f.Uint64Var(&o.run.Seed, "seed", 0, "with --judge: seed of the draws")
	f.BoolVar(&o.run.Untested, "untested", false, untestedUsage)
	f.StringVar(&o.run.Preference, "preference", "", "a preference model (amend prefer train) that says which of two answers of a run is better")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	addComputeFlags(f, &o.Compute, "item")
	f.Lookup("chat").Usage = "how conversations are written: template (the model's own) or plain (a transcript, for base models) (default template, but plain for hhh and truthfulqa, as the field measures them)"
	addContextFlags(f, &o.Context, "item")
	o.outputFlags.addFlags(f)
}

// newEvalCommand is `amend eval`: a model on a standard set, or the rounds of a run.
func newEvalCommand() *cobra.Command {
	var o evalFlags
	cmd := &cobra.Command{
		Use:   "eval (RUN | --set SET FILE --model M)",
		Short: "Measure the rounds of a run, or a model on a standard set",
		Long: `For a run, measure the answers after each round against the first responses: refusals, length, words that were kept,
another script, flags. With --judge or --preference also how often they win, over all pairs, over those in which neither
answer declines, and over those of similar length (the shorter answer has at least 75 % of the longer one's characters).
Two baselines stand in the same table: always to decline, and the first sentence of the first response. A method that does not
beat them has shown nothing. With --against the final answers of two runs are compared.

Runs of the testbed model are also judged by its oracle, a program that knows the rules of its world (docs/testbed.md): how
many answers break a rule, how much of that the critiques found, and what the revisions repaired, spoiled and lost.

With --set, measure a model on a standard set, a file that you have, in JSONL or another form (amend data inspect --help):

  hhh         the helpful, honest and harmless comparisons: acc, acc_norm
  truthfulqa  TruthfulQA, its generation set: mc1, mc2
  xstest      XSTest: compliance_safe, refusal_unsafe
  pairs       any preference set, with chosen and rejected: acc, acc_norm
  refusals    answers with labels as XSTest's completions have them, no model: recall and false_alarm of the refusal detector

acc is how often the better answer is the more likely one, acc_norm the same by character.

Figures have 95 % intervals, which draw whole conversations. What is computed is kept in --out; to continue, run the same
command again.`,
		Example: "  amend eval runs/first\n  amend eval runs/first --judge big.gguf\n  amend eval --set truthfulqa truthfulqa.jsonl --model smollm2\n  amend eval --set hhh hhh.jsonl.gz --model big.gguf --lora tuned.gguf --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Set == "" {
				return o.ofRun(cmd, args[0])
			}
			if o.Set == evalset.Refusals {
				return o.ofRefusals(cmd, args[0])
			}
			o.File = args[0]
			if err := givenWithout(cmd.Flags(), "is for a run, and --set measures a model", judging()...); err != nil {
				return err
			}
			return working(cmd, o.outputFlags, func(env app.Env) (func() error, error) {
				r, err := app.Evaluate(cmd.Context(), env, o.EvaluateConfig)
				return func() error { return render.Evaluation(cmd.OutOrStdout(), r, o.json) }, err
			})
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}

// ofRefusals measures the refusal detector.
func (o *evalFlags) ofRefusals(cmd *cobra.Command, file string) error {
	names := append([]string{"model", "lora", "max-tokens"}, computing()...)
	names = append(names, judging()...)
	if err := givenWithout(cmd.Flags(), "is for a model, and --set refusals measures the refusal detector", names...); err != nil {
		return err
	}
	return working(cmd, o.outputFlags, func(env app.Env) (func() error, error) {
		r, err := app.EvaluateRefusals(env, app.RefusalsConfig{File: file, Limit: o.Limit})
		return func() error { return render.Refusals(cmd.OutOrStdout(), r, o.json) }, err
	})
}

// judging are the flags about who wins in a run.
func judging() []string {
	return []string{"against", "judge", "constitution", "draws", "seed", "untested", "preference"}
}

// computing are the flags about how a model computes, and where that is kept.
func computing() []string {
	return []string{"out", "chat", "template", "ctx", "threads", "gpu-layers", "deterministic", "parallel", "kv", "kv-type", "preamble-cache"}
}

// ofRun measures a run.
func (o *evalFlags) ofRun(cmd *cobra.Command, dir string) error {
	c := o.run
	c.Run, c.Model, c.Out, c.Limit = dir, o.Model, o.Out, o.Limit
	c.Context = o.Context
	if c.Compute = o.Compute; c.Compute.Chat == "" {
		c.Compute.Chat = runner.ChatTemplate
	}
	if err := o.unused(cmd.Flags()); err != nil {
		return err
	}
	return working(cmd, o.outputFlags, func(env app.Env) (func() error, error) {
		r, err := app.EvaluateRun(cmd.Context(), env, c)
		return func() error { return render.RunEvaluation(cmd.OutOrStdout(), r, o.json) }, err
	})
}

// unused refuses flags that have no effect on the evaluation of a run.
func (o *evalFlags) unused(flags *pflag.FlagSet) error {
	errs := []error{givenWithout(flags, "is a setting of --set: give the set too", "lora", "max-tokens")}
	if o.run.Judge == "" {
		errs = append(errs, givenWithout(flags, "is a setting of a judge: give --judge too", "constitution", "draws", "seed", "untested"))
	}
	if o.run.Preference == "" {
		errs = append(errs, givenWithout(flags, "is the model of a preference model or of a set: give --preference or --set too", "model"))
	}
	if o.run.Judge == "" && o.run.Preference == "" {
		errs = append(errs, givenWithout(flags, "is for what a model computes: give --judge, --preference or --set too", computing()...))
	}
	return errors.Join(errs...)
}
