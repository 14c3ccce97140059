package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
	"amend/engine/evalset"
)

// evalFlags are the flags of `amend eval`.
type evalFlags struct {
	app.EvaluateConfig
	outputFlags
}

func (o *evalFlags) addFlags(f *pflag.FlagSet) {
	o.EvaluateConfig = app.DefaultEvaluateConfig()
	f.StringVar((*string)(&o.Set), "set", "", "measure a model on FILE, which is such a set: "+list(evalset.Sets()))
	f.StringVar(&o.Model, "model", "", "with --set: the model, a path or a name that amend model ls shows (required)")
	f.StringVar(&o.LoRA, "lora", "", "with --set: LoRA adapter, PATH or PATH=SCALE")
	f.StringVar(&o.Out, "out", "", "with --set: folder of the results by item (default evals/SET-MODEL)")
	f.IntVar(&o.Limit, "limit", 0, "with --set: take only the first N items; 0 takes all")
	f.IntVar(&o.MaxTokens, "max-tokens", o.MaxTokens, "with --set xstest: maximum tokens of an answer")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	addComputeFlags(f, &o.Compute, "item")
	f.Lookup("chat").Usage = "how conversations are written: template (the model's own) or plain (a transcript, for base models) (default plain for hhh and truthfulqa, as the field measures them, else template)"
	addContextFlags(f, &o.Context, "item")
	o.outputFlags.addFlags(f)
}

// newEvalCommand is `amend eval`: a model on a standard set, or a run by its oracle.
func newEvalCommand() *cobra.Command {
	var o evalFlags
	cmd := &cobra.Command{
		Use:   "eval (RUN | --set SET FILE --model M)",
		Short: "Measure a model on a standard set, or a run of the testbed model by its world's truth",
		Long: `With --set, measure a model on a standard set, a JSONL file that you have:

  hhh         the helpful, honest and harmless comparisons: acc, acc_norm
  truthfulqa  TruthfulQA, its generation set: mc1, mc2
  xstest      XSTest: compliance_safe, refusal_unsafe
  pairs       any preference set, with chosen and rejected: acc, acc_norm

acc is how often the better answer is the more likely one, acc_norm the same by character. Figures have 95 % intervals, which
draw whole conversations. Results by item are kept in --out; to continue, run the same command again.

For a run, report what each round did: how many responses break a rule, how much of that the critiques found, and
what the revisions repaired, spoiled and lost. Only the testbed model has an oracle, a program that knows the
rules of its world (docs/testbed.md). For other models amend stats counts what can be counted without one.`,
		Example: "  amend eval --set truthfulqa truthfulqa.jsonl --model smollm2\n  amend eval --set hhh hhh.jsonl.gz --model big.gguf --lora tuned.gguf --json\n  amend eval runs/t",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Set == "" {
				return o.ofRun(cmd, args[0])
			}
			o.File = args[0]
			return working(cmd, o.outputFlags, func(env app.Env) (func() error, error) {
				r, err := app.Evaluate(cmd.Context(), env, o.EvaluateConfig)
				return func() error { return render.Evaluation(cmd.OutOrStdout(), r, o.json) }, err
			})
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}

// ofRun has the oracle judge a run.
func (o *evalFlags) ofRun(cmd *cobra.Command, dir string) error {
	if err := givenWithout(cmd.Flags(), "is a setting of --set: give the set too", "model", "lora", "out", "limit", "max-tokens",
		"chat", "template", "ctx", "threads", "gpu-layers", "deterministic", "parallel", "kv", "kv-type", "preamble-cache"); err != nil {
		return err
	}
	outcome, err := app.EvaluateRun(cmd.Context(), dir)
	if err != nil {
		return err
	}
	if o.json {
		return render.JSON(cmd.OutOrStdout(), outcome)
	}
	return render.Outcome(cmd.OutOrStdout(), outcome)
}
