package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/bench"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/render"
)

// benchOutput are the flags that say what `amend bench` prints.
type benchOutput struct {
	json    bool
	verbose bool
}

func newBenchCommand() *cobra.Command {
	given := bench.DefaultWorkload()
	var out benchOutput
	cmd := &cobra.Command{
		Use:   "bench WORKLOAD",
		Short: "Measure throughput, with fixed lengths or on text",
		Long: `Measure a workload. Three have fixed lengths over random token ids and ignore ends of generation, so
that every engine does the same work:

  loop      rounds of critique and revision, one growing conversation per row
  fanout    one response per row, criticised and revised under several principles
  feedback  pairs of responses judged under several principles, in both orders

The variants:

  amend                as it is
  amend prefix-copied  each row holds a copy of the preamble
  amend prefix-cache   each conversation reuses only its own prefix
  amend no-reuse       nothing is reused; fewer rows run

The floor is the time that the necessary tokens would take at the speed of plain llama_decode on this machine.
scripts/bench-peers compares llama-server with amend.

The fourth is the loop itself on prompts, with flags of its own:

  text      rounds of critique and revision on real text (see amend bench text --help)`,
		Example: `  amend bench loop --model smollm2
  amend bench feedback --model big.gguf --order principle-first --rows 64 --json
  amend bench text --model smollm2 --prompts examples/prompts.jsonl`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: oneOf(bench.WorkloadNames()),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := benchWorkload(args[0], &given, cmd.Flags())
			if err != nil {
				return err
			}
			env, err := benchEnv(cmd, out)
			if err != nil {
				return err
			}
			r, err := bench.Run(cmd.Context(), env, c)
			if err != nil {
				return err
			}
			return printBench(cmd, r, out)
		},
	}
	f := cmd.Flags()
	addBenchFlags(f, &given.Config, &out)
	f.StringVar(&given.Order, "order", "", "loop: append or faithful; feedback: options-first or principle-first (the paper's)")
	f.Uint64Var(&given.Seed, "seed", given.Seed, "seed of the random token ids")
	f.BoolVar(&given.Floor, "floor", given.Floor, "also measure what plain llama_decode could reach, in turns with amend")
	f.BoolVar(&given.PeerCache, "peer-cache", given.PeerCache, "let the server at --peer-url cache prompts")
	addLengthFlags(f, &given)
	cmd.AddCommand(newBenchTextCommand(), newSpeculationCommand())
	return cmd
}

// benchWorkload is the workload of a name with the flags that were given.
func benchWorkload(name string, given *bench.WorkloadConfig, flags *pflag.FlagSet) (c bench.WorkloadConfig, err error) {
	c = bench.DefaultWorkload()
	c.Workload = name
	if c.Lengths, err = bench.Lengths(name); err != nil {
		return c, err
	}
	overlay(&c, given, flags)
	if !c.PeerCache && c.Peer.URL == "" {
		return c, failure.Inputf("--peer-cache=false is for a server: give its --peer-url")
	}
	return c, nil
}

// addLengthFlags adds the lengths of a workload.
func addLengthFlags(f *pflag.FlagSet, c *bench.WorkloadConfig) {
	l := &c.Lengths
	add := func(value *int, name, about string) {
		f.IntVar(value, name, 0, about+" (default the workload's own)")
	}
	add(&l.Rows, "rows", "rows")
	add(&l.Preamble, "preamble", "tokens that all rows share")
	add(&l.Prompt, "prompt", "tokens of a prompt")
	add(&l.Response, "response", "tokens of a first response")
	add(&l.Rounds, "rounds", "rounds of critique and revision")
	add(&l.Principles, "principles", "principles of each row")
	add(&l.CritiqueRequest, "critique-request", "tokens of a critique request")
	add(&l.Critique, "critique", "tokens of a critique")
	add(&l.RevisionRequest, "revision-request", "tokens of a revision request")
	add(&l.Revision, "revision", "tokens of a revision")
	add(&l.Option, "option", "tokens of a judged response")
	add(&l.Principle, "principle", "tokens of a principle in a judgement")
}

func newBenchTextCommand() *cobra.Command {
	c := bench.DefaultText()
	var out benchOutput
	cmd := &cobra.Command{
		Use:   bench.TextWorkload,
		Short: "Measure rounds of critique and revision on text",
		Long: `Measure what amend run does, on prompts, under the constitution hhh with its demonstrations and
the model's own template: turns end by themselves where the model ends them. Nothing is written.

The variants are amend as it is, with the preamble copied to every row, and without drafted tokens. The
time that it takes to measure when drafts pay is part of wall_s, and also given alone as calibration_s.
With --peer-url a llama-server has the same conversations through its chat endpoint, under the same
principles. Its texts differ in part: it rounds otherwise and tokenizes text again each turn.
decode_tokens says how similar the work was.`,
		Example: `  amend bench text --model smollm2 --prompts examples/prompts.jsonl
  amend bench text --model smollm2 --prompts examples/prompts.jsonl --peer-url http://127.0.0.1:8080 --peer-slots 8`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := benchEnv(cmd, out)
			if err != nil {
				return err
			}
			r, err := bench.RunText(cmd.Context(), env, c)
			if err != nil {
				return err
			}
			return printBench(cmd, r, out)
		},
	}
	f := cmd.Flags()
	addBenchFlags(f, &c.Config, &out)
	f.StringVarP(&c.Prompts, "prompts", "p", "", "prompts, as for amend run (required)")
	f.IntVarP(&c.Limit, "limit", "n", 0, "take only the first N rows; 0 takes all")
	f.IntVar(&c.Revisions, "revisions", c.Revisions, "rounds of critique and revision")
	f.IntVar(&c.MaxTokens, "max-tokens", c.MaxTokens, "maximum tokens of a turn")
	f.Float64Var(&c.Temperature, "temperature", c.Temperature, "sampling temperature; with 0 texts do not depend on random streams, which differ between engines")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "seed of the draws of principles and of sampling")
	return cmd
}

func newSpeculationCommand() *cobra.Command {
	c := bench.DefaultSpeculation()
	var out benchOutput
	cmd := &cobra.Command{
		Use:   "speculation",
		Short: "Measure revisions that copy a known share of their draft, with and without drafted tokens",
		Long: `Measure revision turns of fixed length that copy a known share of their draft, in turns with and without
prompt-lookup decoding. The model computes every token, but its output is scripted: no model copies a
given share.`,
		Example: `  amend bench speculation --model smollm2 --row-counts 1,4,16 --copied 0,50,80,95,100`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := benchEnv(cmd, out)
			if err != nil {
				return err
			}
			r, err := bench.RunSpeculation(cmd.Context(), env, c)
			if err != nil {
				return err
			}
			if out.json {
				return render.JSON(cmd.OutOrStdout(), r)
			}
			return render.Speculation(cmd.OutOrStdout(), r)
		},
	}
	f := cmd.Flags()
	addBenchModelFlags(f, &c.Config, &out)
	f.StringSliceVar(&c.Variants, "variants", c.Variants, "amend, and amend prefix-copied, where every row holds the preamble")
	f.IntSliceVar(&c.Rows, "row-counts", c.Rows, "rows at once")
	f.IntSliceVar(&c.Copied, "copied", c.Copied, "percent of the draft that the revision copies")
	f.IntVar(&c.Preamble, "preamble", c.Preamble, "tokens that all rows share")
	f.IntVar(&c.Draft, "draft", c.Draft, "tokens of the draft and of the revision")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "seed of the random token ids")
	return cmd
}

// addBenchModelFlags adds the flags that all benchmarks have.
func addBenchModelFlags(f *pflag.FlagSet, c *bench.Config, out *benchOutput) {
	f.StringVarP(&c.Model, "model", "m", "", "GGUF model: a path, smollm2, or a name that amend model ls shows (required)")
	f.StringVar(&c.KVType, "kv-type", c.KVType, "type of the cached keys: f16, q8_0 or auto, as for amend run")
	f.IntVar(&c.Threads, "threads", c.Threads, threadsUsage)
	f.IntVar(&c.GPULayers, "gpu-layers", c.GPULayers, "layers to put on the GPU, if there is one; -1: all")
	f.BoolVar(&out.json, "json", false, "print the report as one JSON object")
}

// addBenchFlags adds the flags that workloads have.
func addBenchFlags(f *pflag.FlagSet, c *bench.Config, out *benchOutput) {
	addBenchModelFlags(f, c, out)
	f.StringSliceVar(&c.Variants, "variants", c.Variants, "variants of amend to measure")
	f.IntVar(&c.Repeat, "repeat", c.Repeat, "runs of each variant, in turns; the median counts")
	f.StringVar(&c.Peer.URL, "peer-url", "", "measure a llama-server at this address instead of amend")
	f.StringVar(&c.Peer.Name, "peer-name", c.Peer.Name, "name of the server in the report")
	f.IntVar(&c.Peer.Slots, "peer-slots", c.Peer.Slots, "requests that the server gets at once")
	f.IntVar(&c.Parallel, "parallel", c.Parallel, "rows alive at once; 0 chooses as amend run does")
	f.StringVar((*string)(&c.KV), "kv", string(c.KV), "KV cache: streams, unified or auto (here streams)")
	f.StringVar(&c.FlashAttention, "flash-attention", c.FlashAttention, "on, off or auto (as amend run chooses)")
	f.BoolVar(&out.verbose, "verbose", false, "show llama.cpp's own log")
}

// benchEnv returns what a benchmark needs of this process.
func benchEnv(cmd *cobra.Command, out benchOutput) (bench.Env, error) {
	env, err := newEnvWith(cmd, newLogger(cmd.ErrOrStderr(), out.verbose))
	return bench.Env{
		Log: env.Log, Now: env.Now, Stdin: env.Stdin, Version: env.Version, TemplateWorker: env.TemplateArgs(),
	}, err
}

// printBench writes a report for a person, or as JSON.
func printBench(cmd *cobra.Command, r bench.Report, out benchOutput) error {
	if out.json {
		return render.JSON(cmd.OutOrStdout(), r)
	}
	return render.Bench(cmd.OutOrStdout(), r)
}
