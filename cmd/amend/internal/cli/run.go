package cli

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/revise"
	"amend/models/testbed"
)

// defaultModel needs no download.
const defaultModel = testbed.Name

// runOptions are the flags of `amend run`.
type runOptions struct {
	modelFlags
	engineFlags
	constitutions []string
	principles    []string
	fewShots      bool
	preambles     int
	samples       int
	prompts, out  string
	fromResponses bool
	limit         int

	revisions int
	critique  bool
	mode      string
	maxTokens int
	sampling  engine.Sampling
	logitBias []string
	grammar   string
	logProbs  bool
	seed      uint64
	system    string

	lora, critic, criticLoRA string

	gate gateFlags

	speculate bool

	json        bool
	redo        bool
	retryFailed bool
	plan        bool
	supervised  bool   // this is the process that computes
	responsesOf string // the run whose first responses are gone on from
	atMost      int    // rows alive at once, by the supervisor's order; 0: as many as fit
}

func (o *runOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.model, "model", defaultModel, "the GGUF model: a path, or a name that amend model ls shows; testbed is embedded, a test bench that knows its own small world only")
	f.StringArrayVar(&o.constitutions, "constitution", nil, "a constitution: a name that amend constitution ls shows, or a path; later ones lie on top of earlier ones (default hhh, for the testbed its own)")
	f.StringSliceVar(&o.principles, "principles", nil, "draw only from these principles: ids and tags, separated by commas")
	f.BoolVar(&o.fewShots, "few-shots", true, "show the constitution's demonstrations before every row; without, a model that was trained on revisions is asked as it will be")
	f.IntVar(&o.preambles, "preambles", 1, "few-shot preambles: with more than one, each shows half of the demonstrations in an order of its own, and rows are spread over them")
	f.IntVar(&o.samples, "samples", 1, "rows of each prompt, each drawn anew: for amend feedback to compare, and for best of n")
	f.StringVar(&o.prompts, "prompts", "", "the prompts: JSONL, hh-rlhf rows or one a line, also gzipped; - is standard input (required)")
	f.BoolVar(&o.fromResponses, "from-responses", false, "start from the responses that hh-rlhf rows have, instead of generating them")
	f.StringVar(&o.out, "out", "", "the run directory; one that exists is continued (required)")
	f.IntVar(&o.limit, "limit", 0, "take only the first N rows; 0 takes all")

	f.IntVar(&o.revisions, "revisions", 2, "rounds of critique and revision; 0 makes first responses only")
	f.BoolVar(&o.critique, "critique", true, "ask for a critique before each revision; without, revisions are asked for straight away")
	f.StringVar(&o.mode, "mode", string(revise.Faithful), "how a round goes on: faithful (from prompt and newest revision, the paper's) or append (below everything said)")
	f.IntVar(&o.maxTokens, "max-tokens", 256, "most tokens of a turn")
	f.Float64Var(&o.sampling.Temperature, "temperature", 1, "0 takes the likeliest token; 1 is the paper's")
	f.Float64Var(&o.sampling.TopP, "top-p", 1, "keep the likeliest tokens that make up this much")
	f.IntVar(&o.sampling.TopK, "top-k", 0, "keep the K likeliest tokens; 0 keeps all")
	f.Float64Var(&o.sampling.MinP, "min-p", 0, "keep tokens at least this likely relative to the likeliest")
	f.Float64Var(&o.sampling.RepetitionPenalty, "repetition-penalty", 1, "make tokens that the turn has generated less likely (CTRL); 1 is off")
	f.Float64Var(&o.sampling.FrequencyPenalty, "frequency-penalty", 0, "taken off a token's logit for each time the turn has generated it")
	f.Float64Var(&o.sampling.PresencePenalty, "presence-penalty", 0, "taken off once, however often it was generated")
	f.IntVar(&o.sampling.PenaltyWindow, "penalty-window", 0, "last tokens of the turn that penalties count; 0 counts all")
	f.StringArrayVar(&o.logitBias, "logit-bias", nil, "TOKEN=BIAS: add to the logit of a token id; -inf never lets it come (repeatable)")
	f.StringVar(&o.grammar, "critique-grammar", "", "a file with a GBNF grammar that every critique must follow")
	f.BoolVar(&o.logProbs, "logprobs", false, "record each turn's log-probability")
	f.Uint64Var(&o.seed, "seed", 0, "the seed of everything that is drawn")
	f.StringVar(&o.system, "system", "", "a system text for every row without one of its own")

	f.StringVar(&o.lora, "lora", "", "a LoRA adapter (GGUF) for first responses: PATH, or PATH=SCALE")
	f.StringVar(&o.critic, "critic", "", "another GGUF model for all other turns: critiques, revisions and judgements; it is loaded when all first responses are there, and reads conversations by its own chat template, or all by --chat (default --model)")
	f.StringVar(&o.criticLoRA, "critic-lora", "", "a LoRA adapter for all other turns, as --lora; none otherwise")
	o.gate.addFlags(f)

	f.BoolVar(&o.speculate, "speculate", true, "guess tokens that repeat the conversation and try several in a step, where that is measured to pay; the tokens are the same with or without")

	f.BoolVar(&o.redo, "redo", false, "continue a run with other inputs or settings: its rows are done again, from the turns that are still what they would be")
	f.BoolVar(&o.retryFailed, "retry-failed", false, "do rows again that failed")
	f.BoolVar(&o.plan, "plan", false, "run nothing: say how many turns are there already, how many are to be computed, and about how long it takes")
	f.BoolVar(&o.json, "json", false, "print the summary as one JSON object")
	o.modelFlags.addFlags(f)
	o.engineFlags.addFlags(f)
}

// validate checks what flags alone can tell. Its errors name flag and range.
func (o *runOptions) validate() error {
	for _, need := range []struct{ flag, value string }{{"--prompts", o.prompts}, {"--out", o.out}} {
		if need.value == "" {
			return fmt.Errorf("%s is missing (see amend run --help)", need.flag)
		}
	}
	if err := oneOf([]choice{{"--mode", o.mode, modeNames()}}); err != nil {
		return err
	}
	if err := within([]limits{
		{"--limit", o.limit, 0, 1 << 40},
		{"--preambles", o.preambles, 1, 1000},
		{"--samples", o.samples, 1, 1000},
		{"--revisions", o.revisions, 0, 100},
		{"--max-tokens", o.maxTokens, 1, mostTokens},
	}); err != nil {
		return err
	}
	if err := o.modelFlags.validate(); err != nil {
		return err
	}
	if err := o.engineFlags.validate(); err != nil {
		return err
	}
	if o.revisions == 0 && (o.critic != "" || o.criticLoRA != "") {
		return errors.New("--critic and --critic-lora are of the turns after first responses, and with --revisions 0 there are none")
	}
	if err := cmp.Or(checkScale("--lora", o.lora), checkScale("--critic-lora", o.criticLoRA), o.parseLogitBias()); err != nil {
		return err
	}
	return o.sampling.Validate()
}

// layers are the constitutions to compose: those given, or the model's default.
func (o *runOptions) layers() []string {
	if len(o.constitutions) > 0 {
		return o.constitutions
	}
	return []string{defaultConstitution(o.model)}
}

// parseLogitBias reads --logit-bias into the sampling.
func (o *runOptions) parseLogitBias() error {
	for _, given := range o.logitBias {
		token, bias, ok := strings.Cut(given, "=")
		id, idErr := strconv.ParseInt(token, 10, 32)
		value, err := strconv.ParseFloat(bias, 64)
		if !ok || idErr != nil || err != nil {
			return fmt.Errorf("--logit-bias %q: must be a token id, = and a number, such as 198=-5 or 2=-inf", given)
		}
		if o.sampling.LogitBias == nil {
			o.sampling.LogitBias = map[engine.Token]float64{}
		}
		o.sampling.LogitBias[engine.Token(id)] = value
	}
	return nil
}

func layoutNames() []string {
	return []string{string(runner.Auto), string(runner.Streams), string(runner.Unified)}
}

func modeNames() []string {
	var names []string
	for _, m := range revise.Modes() {
		names = append(names, string(m))
	}
	return names
}

// startRun is what the flags ask for.
func startRun(cmd *cobra.Command, o runOptions) error {
	if o.supervised {
		return runSupervised(cmd, o)
	}
	if o.plan && !o.staged() {
		p, err := planJob(cmd, o)
		if err != nil {
			return err
		}
		return p.print(cmd.OutOrStdout(), o.json)
	}
	input, err := readStdin(cmd, o.prompts)
	switch {
	case err != nil:
		return err
	case o.staged() && o.plan:
		return planStages(cmd, o, input)
	case o.staged():
		return superviseStages(cmd, o, input)
	}
	return superviseRun(cmd, o.verbose, stage{flags: givenFlags(cmd), input: input, stdout: cmd.OutOrStdout()})
}

// newRunCommand is `amend run`.
func newRunCommand() *cobra.Command { return newRunCommandOf(new(runOptions)) }

// newRunCommandOf is it with its flags in o.
func newRunCommandOf(o *runOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Answer prompts, criticise and revise the answers, write a run directory",
		Long: `Run the supervised stage of Constitutional AI (Bai et al. 2022): for each prompt a response, then
rounds of critique and revision, each under a principle drawn from the constitution.

The run directory holds every turn and the whole trace of every row (run.db), the final revisions as
a training set (revisions.jsonl) and what made them (manifest.json). The same command again continues
a run that was stopped, from its last turn. Other inputs or settings are refused; with --redo they are
taken, and only turns that they change are computed: a round more, an edited principle, another limit.

Exit codes: 0 done, 2 bad usage or input, 3 finished with failed rows, 42 cannot work,
75 stopped early, 130 interrupted; after 75 and 130 the same command continues.`,
		Example: `  amend run --model smollm2 --prompts examples/prompts.jsonl --out runs/first --limit 12 --max-tokens 96
  amend run --model big.gguf --constitution mine.yaml --prompts red-team.jsonl.gz --revisions 4 --out runs/big
  amend run --prompts p.jsonl --constitution edited.yaml --out runs/first --redo --plan
  zcat hh.jsonl.gz | amend run --model base.gguf --chat plain --prompts - --from-responses --out runs/hh`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(o.validate(), o.gate.validate(cmd.Flags(), o.supervised)); err != nil {
				return usage(err)
			}
			return startRun(cmd, *o)
		},
	}
	o.addFlags(cmd.Flags())
	f := cmd.Flags()
	f.BoolVar(&o.supervised, supervisedFlag, false, "")
	f.IntVar(&o.atMost, atMostFlag, 0, "")
	f.StringVar(&o.responsesOf, responsesFlag, "", "")
	for _, name := range []string{supervisedFlag, atMostFlag, responsesFlag} {
		f.Lookup(name).Hidden = true
	}
	return cmd
}
