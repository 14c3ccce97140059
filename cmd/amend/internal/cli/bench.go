package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"charm.land/log/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/bench"
	"amend/cmd/amend/internal/runner"
	"amend/engine/llama"
	"amend/models"
)

// benchOptions are the flags that every workload of `amend bench` has.
type benchOptions struct {
	model    string
	variants []string
	repeat   int

	peerURL, peerName string
	peerSlots         int

	parallel  int
	kv        string
	kvType    string
	flash     string
	threads   int
	gpuLayers int

	json    bool
	verbose bool
}

// addFlags adds the flags; variants are those that the workload has.
func (o *benchOptions) addFlags(f *pflag.FlagSet, variants []string) {
	f.StringVar(&o.model, "model", "", "the GGUF model: a path, smollm2, or a name that amend model ls shows (required)")
	f.StringSliceVar(&o.variants, "variants", variants, "which of amend's ways to measure")
	f.IntVar(&o.repeat, "repeat", 1, "runs of each variant, in turns; the median counts")
	f.StringVar(&o.peerURL, "peer-url", "", "measure a llama-server at this address instead of amend")
	f.StringVar(&o.peerName, "peer-name", "llama-server", "what to call it")
	f.IntVar(&o.peerSlots, "peer-slots", 4, "requests it gets at once")
	f.IntVar(&o.parallel, "parallel", 0, "rows alive at once; 0 chooses as amend run does")
	f.StringVar(&o.kv, "kv", string(runner.Auto), "KV cache: streams, unified or auto, which here is streams")
	f.StringVar(&o.kvType, "kv-type", runner.KVAuto, "type of the cached keys: f16, q8_0 or auto, as for amend run")
	f.StringVar(&o.flash, "flash-attention", flashAuto, "on, off or auto, as amend run chooses")
	f.IntVar(&o.threads, "threads", 0, "CPU threads; 0 takes one for each core")
	f.IntVar(&o.gpuLayers, "gpu-layers", -1, "layers to put on a GPU, where there is one; -1 puts all")
	f.BoolVar(&o.json, "json", false, "print the report as one JSON object")
	f.BoolVar(&o.verbose, "verbose", false, "show llama.cpp's own log")
}

// validate checks what flags alone can tell. known are the workload's variants.
func (o *benchOptions) validate(known []string) error {
	if o.model == "" {
		return errors.New("--model is missing (see amend bench --help)")
	}
	for _, name := range o.variants {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--variants %q: must be among %s", name, strings.Join(known, ", "))
		}
	}
	if len(o.variants) == 0 {
		return fmt.Errorf("--variants names none: give some of %s", strings.Join(known, ", "))
	}
	for _, c := range []struct {
		flag, value string
		among       []string
	}{
		{"--kv", o.kv, layoutNames()},
		{"--kv-type", o.kvType, runner.KVTypes()},
		{"--flash-attention", o.flash, []string{flashAuto, "on", "off"}},
	} {
		if !slices.Contains(c.among, c.value) {
			return fmt.Errorf("%s %q: must be %s", c.flag, c.value, strings.Join(c.among, ", "))
		}
	}
	return within([]limits{
		{"--repeat", o.repeat, 1, 1000},
		{"--peer-slots", o.peerSlots, 1, 1024},
		{"--parallel", o.parallel, 0, 1 << 24},
		{"--threads", o.threads, 0, 512},
		{"--gpu-layers", o.gpuLayers, -1, 1 << 24},
	})
}

// flashAuto is --flash-attention as amend run chooses it.
const flashAuto = "auto"

// setting is how amend's own variants compute.
func (s *benchSession) setting(preamble int) (bench.Setting, error) {
	o := s.options
	keys, err := runner.ChooseKVType(o.kvType, s.info.Quantization, s.model, o.gpuLayers)
	if err != nil {
		return bench.Setting{}, usage(err)
	}
	set := bench.Setting{Unified: runner.Layout(o.kv) == runner.Unified, TypeK: keys.String(), FlashAttention: o.flash == "on"}
	if o.flash == flashAuto {
		fa, err := runner.FlashAttention(o.gpuLayers)
		if err != nil {
			return set, err
		}
		set.FlashAttention = fa != llama.FlashOff
	}
	size, err := s.size(set)
	if err != nil {
		return set, err
	}
	why, err := runner.WhyCopied(s.model, size)
	if err == nil && why == "" && preamble >= runner.WorthAttaching {
		set.Shared = preamble
	}
	return set, err
}

// inTurns runs each of the named variants as often as --repeat says, in turns,
// and returns the run of each that took the median time.
func (o *benchOptions) inTurns(names []string, run func(name string) (bench.Variant, error)) ([]bench.Variant, error) {
	runs := make([][]bench.Variant, len(names))
	for range o.repeat {
		for i, name := range names {
			v, err := run(name)
			if err != nil {
				return nil, err
			}
			runs[i] = append(runs[i], v)
		}
	}
	return bench.Turns(runs), nil
}

func newBenchCommand() *cobra.Command {
	var o workloadOptions
	cmd := &cobra.Command{
		Use:   "bench WORKLOAD",
		Short: "Measure throughput, of fixed lengths or on text",
		Long: `Measure a workload. Three are of fixed lengths over random token ids, ends of generation ignored,
so that every engine does the same work:

  loop      rounds of critique and revision, one growing conversation a row
  fanout    one response a row, criticised and revised under several principles
  feedback  pairs of responses judged under several principles, in both orders

The variants are amend as it is; with the preamble copied to every row in place of being read once for
all; with a prefix cache for each conversation alone; and without reuse, on fewer rows. The floor is the time that the necessary tokens would take at the speeds which plain
llama_decode reaches here. scripts/bench-peers measures llama-server beside amend.

The fourth is the loop itself on prompts, with flags of its own:

  text      rounds of critique and revision on real text, see amend bench text --help`,
		Example: `  amend bench loop --model smollm2
  amend bench feedback --model big.gguf --order principle-first --rows 64 --json
  amend bench text --model smollm2 --prompts examples/prompts.jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runBenchWorkload(cmd, args[0], o)
		},
	}
	o.addFlags(cmd.Flags())
	cmd.AddCommand(newBenchTextCommand(), newSpeculationCommand())
	return cmd
}

// benchSession is one `amend bench` under way. What it opens it closes, in
// reverse order.
type benchSession struct {
	options benchOptions
	log     *log.Logger
	info    models.Info
	model   *llama.Model
	report  bench.Report
	closers []func() error
}

func newBenchSession(cmd *cobra.Command, o benchOptions) *benchSession {
	if o.threads == 0 {
		o.threads = runtime.GOMAXPROCS(0)
	}
	return &benchSession{options: o, log: newLogger(cmd.ErrOrStderr(), o.verbose)}
}

func (s *benchSession) close() error {
	var errs []error
	for _, last := range slices.Backward(s.closers) {
		errs = append(errs, last())
	}
	return errors.Join(errs...)
}

// openModel loads the model, of which a peer's driver needs the vocabulary
// alone, and notes in the report what is measured.
func (s *benchSession) openModel(ctx context.Context) error {
	o := s.options
	file, err := resolveModel(o.model)
	if err != nil {
		return err
	}
	s.info = file.Info()
	s.log.Info("loading", "model", file.Path, "MiB", s.info.SizeBytes>>20)
	if s.model, err = llama.LoadModel(ctx, file.Path, llama.ModelParams{GPULayers: o.gpuLayers, VocabOnly: o.peerURL != ""}); err != nil {
		return err
	}
	s.closers = append(s.closers, s.model.Close)
	machine := runner.Machine()
	s.report.Setup = bench.Setup{
		Model: s.info.Name, Architecture: s.info.Architecture, Quantization: s.info.Quantization,
		CPU: machine.CPU, Cores: machine.Cores, Threads: o.threads, LlamaCpp: llama.Version(), Amend: version,
	}
	return nil
}

// fit chooses how many of rows are alive at once, where each can come to hold
// need tokens.
func (s *benchSession) fit(rows, need, trained int) (runner.Size, error) {
	free, err := runner.FreeMemory(s.info.SizeBytes, s.options.gpuLayers)
	if err != nil {
		return runner.Size{}, err
	}
	size, err := runner.Fit(runner.Demand{
		Parallel: s.options.parallel, Need: need, Rows: rows, Trained: trained,
		BytesPerToken: s.info.KVBytesPerToken, FreeMemory: free,
	})
	return size, usage(err)
}

// openContext makes a context of sequences that each hold tokens.
func (s *benchSession) openContext(set bench.Setting, sequences, tokens int) (bench.Opened, error) {
	size, err := s.size(set)
	if err != nil {
		return nil, err
	}
	size.Limit, size.Own, size.Shared, size.Sequences = tokens, tokens-set.Shared, set.Shared, sequences
	size.Part, size.Context = runner.PartCells(set.Shared), runner.StreamCells(size.Own, size.Shared)
	return runner.NewBackend(s.model, size)
}

// size is the kind of context that a setting asks for, not yet its sizes.
func (s *benchSession) size(set bench.Setting) (runner.Size, error) {
	typeK, err := llama.ParseKVType(set.TypeK)
	size := runner.Size{Unified: set.Unified, Threads: s.options.threads, TypeK: typeK, FlashAttn: llama.FlashOff}
	if set.FlashAttention {
		size.FlashAttn = llama.FlashOn
	}
	return size, err
}

func (s *benchSession) say(format string, args ...any) { s.log.Infof(format, args...) }
