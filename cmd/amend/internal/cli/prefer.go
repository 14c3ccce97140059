package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/models/testbed"
)

// newPreferCommand is `amend prefer`, all about preference models.
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
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPreferTrainCommand(), newPreferScoreCommand(), newPreferBestCommand())
	return cmd
}

// preferOptions are the flags of `amend prefer` and what it is given.
type preferOptions struct {
	modelFlags
	given *pflag.FlagSet
	dir   string // of the labels, or of the samples
	out   string
	test  float64
	known string // a directory of labels to mark the model on
	json  bool

	preference string // the preference model's file
	byLabels   bool   // choose by the judge's labels instead
	prompts    string
	limit      int
}

func newPreferTrainCommand() *cobra.Command {
	var o preferOptions
	cmd := &cobra.Command{
		Use:   "train DIR --out FILE",
		Short: "Train a preference model on a directory's labels",
		Long: `Train a preference model on the labels that amend feedback has put into a run directory or a folder of its own. Hidden
states of the answers are computed once and kept there. Pooling and penalty are chosen by cross-validation that keeps a
prompt's pairs together; a part of the prompts is held out altogether, and the model is compared there with the judge that taught
it, with length alone and with refusals alone. With --test-on the model is trained on all prompts, and compared on those that
another directory has labels of and this one has not.`,
		Example: "  amend prefer train runs/first --out preference.json\n  amend prefer train labels --model big.gguf --out preference.json --json\n  amend prefer train runs/first --test-on runs/others --out preference.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir, o.given = args[0], cmd.Flags()
			if o.out == "" {
				return usage(fmt.Errorf("--out is missing: the file of the preference model"))
			}
			if !(o.test > 0 && o.test < 1) {
				return usage(fmt.Errorf("--test %v: must be above 0 and below 1", o.test))
			}
			if o.known != "" && cmd.Flags().Changed("test") {
				return usage(fmt.Errorf("--test holds prompts of %s out, --test-on %s takes others: give one of the two", o.dir, o.known))
			}
			if err := o.modelFlags.validate(); err != nil {
				return usage(err)
			}
			return trainPreference(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", "", "the model whose hidden states are read: a path, or a name that amend model ls shows (default the run's own, or the judge where that is the testbed)")
	f.StringVar(&o.out, "out", "", "the file of the preference model (required)")
	f.Float64Var(&o.test, "test", 0.2, "the share of prompts that is held out, by hash of the prompt")
	f.StringVar(&o.known, "test-on", "", "a directory with labels of other prompts, to compare the model on in place of prompts that are held out")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	o.modelFlags.addFlags(f)
	return cmd
}

func newPreferScoreCommand() *cobra.Command {
	var o preferOptions
	cmd := &cobra.Command{
		Use:   "score FILE --prompts FILE",
		Short: "Score answers with a preference model",
		Long: `Score answers: rows with a response, or whose last message is the assistant's, as amend run reads them. A line of JSON
comes out for each, with id and score. Only differences between scores of answers to one prompt mean anything.`,
		Example: "  amend prefer score preference.json --prompts answers.jsonl",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.preference = args[0]
			if o.prompts == "" {
				return usage(fmt.Errorf("--prompts is missing: the answers to score"))
			}
			if err := o.modelFlags.validate(); err != nil {
				return usage(err)
			}
			return scoreAnswers(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", testbed.Name, "the model that the preference model was trained over: a path, or a name that amend model ls shows")
	f.StringVar(&o.prompts, "prompts", "", "the answers: JSONL rows with prompt and response, or messages; - is standard input (required)")
	f.IntVar(&o.limit, "limit", 0, "take only the first N rows; 0 takes all")
	o.modelFlags.addFlags(f)
	return cmd
}
