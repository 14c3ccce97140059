package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

// runFlags are the flags of `amend run`: settings, and options of this one command.
type runFlags struct {
	app.RunConfig
	outputFlags
	sourceFlags
	plan bool
}

// addFlags adds the flags, and returns them in the groups of the help.
func (o *runFlags) addFlags(f *pflag.FlagSet) (g flagGroups) {
	o.RunConfig = app.DefaultRunConfig()
	in := g.in("Input and output")
	in.StringVarP(&o.Model, "model", "m", o.Model, "GGUF model: a path, or a name that amend model ls shows (required, unless a run is continued, or --config or --like gives it); testbed is embedded, a test bench that knows only its own small world")
	o.addPrincipleFlags(in)
	in.StringArrayVarP((*[]string)(&o.Prompts), "prompts", "p", nil, promptsUsage+" (required, unless a run is continued or --config gives it)")
	in.StringArrayVar(&o.Map, "map", nil, mapUsage)
	in.BoolVar(&o.FromResponses, "from-responses", false, "start from the answers that rows of preference sets such as hh-rlhf have, instead of generating first responses")
	in.StringVarP(&o.Out, "out", "o", "", "run directory; an existing one is continued (required, unless --config gives it)")
	in.IntVarP(&o.Limit, "limit", "n", 0, "take only the first N prompts; 0 takes all")
	o.sourceFlags.addFlags(in, "run", "--prompts, --constitution, --principles and --out")

	loop := g.in("Loop")
	o.addLoopFlags(loop)
	loop.IntVar(&o.DemonstrationSets, "demonstration-sets", o.DemonstrationSets, "number of demonstration sets: with more than one, each shows half of the demonstrations in its own order, and rows are spread over them")
	loop.IntVar(&o.Samples, "samples", o.Samples, "number of rows to sample for each prompt, for amend feedback and best of n")
	loop.BoolVar(&o.LogProbs, "logprobs", false, "record each turn's log-probability")

	makers := g.in("Adapters and a second model")
	makers.StringVar(&o.LoRA, "lora", "", "LoRA adapter (GGUF) for first responses: PATH or PATH=SCALE")
	makers.StringVar(&o.Critic, "critic", "", "GGUF model for critiques, revisions and judgements (default --model). It is loaded after all first responses are done, and uses its own chat template, unless --chat is plain")
	makers.StringVar(&o.CriticLoRA, "critic-lora", "", "LoRA adapter for critiques, revisions and judgements: PATH or PATH=SCALE")

	makers.StringVar(&o.CriticURL, "critic-url", "", "address of an OpenAI-compatible chat server on this machine that writes critiques and revisions: http://127.0.0.1:PORT/v1 (llama-server, Ollama, vLLM, LM Studio); no other machine is asked")
	makers.StringVar(&o.CriticURLModel, "critic-url-model", "", "model of that server, by its name there (default its only one)")

	o.addSamplingFlags(g.in("Sampling"))
	o.addGateFlags(g.in("Gate"))

	again := g.in("Continuing a run")
	again.BoolVar(&o.Redo, "redo", false, "continue a run with other inputs or settings: do its rows again, reusing every turn that is still valid; settings that are not given stay")
	again.BoolVar(&o.RetryFailed, "retry-failed", false, "do failed rows again")
	again.BoolVar(&o.plan, "plan", false, "do nothing yet: say how many turns are stored and how many would be computed, in what memory, and about how long that would take; some steps of the model are timed for it")

	machine := g.in("Model and machine")
	addComputeFlags(machine, &o.Compute, "row")
	addContextFlags(machine, &o.Context, "row")
	machine.BoolVar(&o.Speculate, "speculate", o.Speculate, "draft tokens that repeat the conversation and verify several in a step, where that is measured to pay; the text is the same with or without")

	report := g.in("Reports")
	report.BoolVar(&o.json, "json", false, "print the summary as one JSON object")
	o.outputFlags.addFlags(report)
	report.Lookup("verbose").Usage = "show llama.cpp's own log, and in the summary the engine's figures"
	g.addTo(f)
	f.SetNormalizeFunc(oldNames(map[string]string{"few-shots": "demonstrations", "preambles": "demonstration-sets"}))
	return g
}

// addPrincipleFlags adds what principles are drawn from.
func (o *runFlags) addPrincipleFlags(f *pflag.FlagSet) {
	f.StringArrayVarP(&o.Constitution, "constitution", "c", nil, constitutionUsage+" (default hhh, for the testbed its own)")
	f.StringSliceVar(&o.Principles, "principles", nil, "draw only from these principles: ids and tags, separated by commas")
}

// addLoopFlags adds what a row goes through.
func (o *runFlags) addLoopFlags(f *pflag.FlagSet) {
	f.IntVar(&o.Revisions, "revisions", o.Revisions, "rounds of critique and revision; 0: first responses only")
	f.BoolVar(&o.Critique, "critique", o.Critique, "ask for a critique before each revision")
	f.StringVar((*string)(&o.Mode), "mode", string(o.Mode), "what a round sees: faithful (the prompt and the newest revision, as in the paper) or append (everything said so far)")
	f.StringVar((*string)(&o.Draw), "draw", string(o.Draw), "which principle a round is under: fitting (one that has to do with the draft, by how much likelier than usual the model finds its title as that of the principle that is broken; a model that fails a test of this draws at random), random (any that applies, as in the paper) or targeted (one that the draft more likely breaks than not, by verdicts under all of them; a draft that breaks none ends the row)")
	f.StringVar((*string)(&o.Revise), "revise", string(o.Revise), "which drafts are revised: found (those whose critique finds something, as the model reads it, but none that declines, unless the row has the tag safe; a model that fails a test of this revises all that do not decline; a gate judges in its place), always (all, as in the paper) or breached (those that a verdict before the critique does not find clean)")
	f.TextVar(&o.Demonstrations, "demonstrations", o.Demonstrations, "where the constitution's demonstrations stand: critique (before critiques and revisions, so that first responses are the model's ordinary answers), all (before first responses too), none (for a model that was trained on revisions)")
	f.IntVar(&o.Tries, "tries", o.Tries, "how often a round is tried while a check flags its critique or revision: again with another seed, then under other principles; after the last try the draft stays; 0 takes flagged revisions, as in the paper")
	f.IntVar(&o.MaxTokens, "max-tokens", o.MaxTokens, "maximum tokens of a turn")
	f.IntVar(&o.Own.CritiqueMaxTokens, "critique-max-tokens", 0, "maximum tokens of a critique; 0: --max-tokens")
	f.IntVar(&o.Own.RevisionMaxTokens, "revision-max-tokens", 0, "maximum tokens of a revision; 0: --max-tokens")
	f.StringVar(&o.System, "system", "", "system text for rows that have none")
	f.BoolVar(&o.Quote, "quote", false, "have critiques quote words of their draft, or say that there is nothing to correct; in English")
	f.StringVar(&o.CritiqueGrammar, "critique-grammar", "", "file with a GBNF grammar that every critique must follow")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of everything that is drawn: principles, demonstrations and tokens")
}

// addSamplingFlags adds how tokens are drawn.
func (o *runFlags) addSamplingFlags(f *pflag.FlagSet) {
	s := &o.Sampling
	f.StringVar((*string)(&o.Preset), "sampling", string(o.Preset), "values of sampling flags that are not given: recommended (by the model's file, else as measured) or paper (temperature 1, nothing cut off)")
	f.Float64Var(&s.Temperature, "temperature", s.Temperature, "sampling temperature; 0 takes the likeliest token")
	f.Float64Var(&o.Own.CritiqueTemperature, "critique-temperature", o.Own.CritiqueTemperature, "temperature of critiques; -1: --temperature")
	f.Float64Var(&o.Own.RevisionTemperature, "revision-temperature", o.Own.RevisionTemperature, "temperature of revisions; -1: --temperature")
	f.Float64Var(&s.TopP, "top-p", s.TopP, "keep the likeliest tokens whose probabilities add up to this")
	f.IntVar(&s.TopK, "top-k", s.TopK, "keep the K likeliest tokens; 0 keeps all")
	f.Float64Var(&s.MinP, "min-p", s.MinP, "keep tokens at least this likely, relative to the likeliest; 0 keeps all")
	f.Float64Var(&s.RepetitionPenalty, "repetition-penalty", s.RepetitionPenalty, "make tokens that the turn has generated less likely (as in CTRL); 1 is off")
	f.Float64Var(&s.FrequencyPenalty, "frequency-penalty", s.FrequencyPenalty, "subtracted from a token's logit for each time the turn has generated it; 0 is off")
	f.Float64Var(&s.PresencePenalty, "presence-penalty", s.PresencePenalty, "subtracted once from the logit of every token that the turn has generated; 0 is off")
	f.IntVar(&s.PenaltyWindow, "penalty-window", s.PenaltyWindow, "number of the turn's last tokens that penalties count; 0 counts all")
	f.Var(biasValue{&s.LogitBias}, "logit-bias", "added to the logit of a token id, as `TOKEN=BIAS`; -inf bans the token (repeatable)")
}

func (o *runFlags) addGateFlags(f *pflag.FlagSet) {
	g := &o.Gate
	f.BoolVar(&g.On, "gate", false, "accept a revision only if the model, as a judge, prefers it in both orders under the drawn principle, and prefers the draft under no other principle; a row ends early if its draft is clean under two principles and in breach of none")
	f.IntVar(&g.Tries, "gate-tries", g.Tries, "new tries after a refused revision, each under another draw; then the draft stays")
	f.Float64Var(&g.Margin, "gate-margin", g.Margin, "how far above 0.5 the judge's probability for the revision must be under the drawn principle, in each order (0 to 0.5)")
	f.Float64Var(&g.Veto, "gate-veto", g.Veto, "how far above 0.5 its probability for the draft may be under any other principle, in the mean of both orders (0 to 0.5)")
	f.Float64Var(&g.MinMass, "gate-min-mass", g.MinMass, minMassUsage)
	f.BoolVar(&g.Untested, "untested", false, untestedUsage)
}

// promptsUsage describes --prompts.
const promptsUsage = "prompts: a `FILE`, a folder or a pattern, repeatable; JSONL, JSON, CSV, TSV, Parquet, or plain text with one a line (.txt), also compressed; - is standard input; amend data inspect shows how a file is read"

// mapUsage describes --map.
const mapUsage = "column that holds a field, as `FIELD=COLUMN`, where its name is not a known one; fields: prompt, response, system, chosen, rejected, id, tags, language, jurisdiction (repeatable)"

const untestedUsage = "use the judge even if it fails its test: to answer the constitution's known cases better than by guessing"

const minMassUsage = "a judgement is invalid if its two answers together are less likely than this"

// settings returns the run's settings. In order of precedence: flags that were given, a config file, another run, the run
// itself, defaults.
func (o *runFlags) settings(flags *pflag.FlagSet) (app.RunConfig, error) {
	c, err := app.ResolveRun(app.RunSources{Out: o.Out, Like: o.like, Config: o.config, Given: func(c *app.RunConfig) { overlay(c, &o.RunConfig, flags) }})
	if err != nil {
		return c, err
	}
	c.Redo, c.RetryFailed = o.Redo, o.RetryFailed
	if !c.Gate.On {
		err = givenWithout(flags, "is a setting of a gate: give --gate too", "gate-tries", "gate-margin", "gate-veto")
	}
	if err == nil && !c.Gate.On && !c.JudgesResponses() {
		err = givenWithout(flags, "is a setting of a judge: give --gate, --revise breached or --draw targeted too", "gate-min-mass", "untested")
	}
	return c, err
}

// newRunCommand is `amend run`.
func newRunCommand() *cobra.Command {
	var o runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Answer prompts, criticise and revise the answers, write a run directory",
		Long: `Run the supervised stage of Constitutional AI (Bai et al. 2022): for each prompt a response, then
rounds of critique and revision, each under a principle drawn from the constitution.

Prompts are JSONL, JSON, CSV, TSV, Parquet or plain text, compressed or not, in the shapes of published
data sets. The first line says how they were read, and what of them was ignored. amend data inspect FILE
shows the same and the first row. A column with another name is given by --map prompt=COLUMN.

The run directory holds every turn and the trace of every row (run.db), the final revisions as a
training set (revisions.jsonl), the settings (config.yaml) and what made the run (manifest.json).

There is no default model: without --model the command lists those at hand, and says how to get one.

amend run --out DIR continues a run that was stopped, from its last turn. Settings that are not given
are the run's own. Inputs or settings that would change its results are refused. With --redo they are
accepted, and only the turns that they change are computed: one more round, an edited principle, another
--max-tokens.

Exit codes: 0 done, 2 bad usage or input, 3 finished with failed rows, 42 cannot work,
75 stopped early, 130 interrupted; after 75 and 130 the same command continues.`,
		Example: `  amend run --model smollm2 --prompts examples/prompts.jsonl --out runs/first --limit 12
  amend run --model big.gguf --constitution mine.yaml --prompts red-team.jsonl.gz --revisions 4 --out runs/big
  amend run --out runs/first --constitution edited.yaml --redo --plan
  amend run --like runs/first --prompts others.jsonl --constitution hhh --out runs/second
  amend run --model big.gguf --prompts 'shards/*.parquet' --prompts more.csv --map prompt=Question --out runs/both
  zcat hh.jsonl.gz | amend run --model base.gguf --chat plain --prompts - --from-responses --out runs/hh`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := o.settings(cmd.Flags())
			if err != nil {
				return err
			}
			return working(cmd, o.outputFlags, func(env app.Env) (func() error, error) {
				if o.plan {
					p, err := app.PlanRun(cmd.Context(), env, c)
					return func() error { return render.Plan(cmd.OutOrStdout(), p, o.json) }, err
				}
				r, err := app.Run(cmd.Context(), env, c)
				return func() error { return render.RunResult(cmd.OutOrStdout(), r, program(), o.json, o.verbose) }, err
			})
		},
	}
	cmd.SetUsageFunc(o.addFlags(cmd.Flags()).usage)
	return cmd
}
