package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/bench"
	"amend/cmd/amend/internal/runner"
	"amend/engine/chat"
)

// speculationOptions are the flags of `amend bench speculation`.
type speculationOptions struct {
	benchOptions
	rows     []int
	copied   []int // percent
	preamble int
	draft    int
	seed     uint64
}

// speculationVariants are the ways to hold the preamble that are measured.
func speculationVariants() []string { return []string{bench.Amend, bench.PrefixCopied} }

func newSpeculationCommand() *cobra.Command {
	var o speculationOptions
	cmd := &cobra.Command{
		Use:   "speculation",
		Short: "Measure revisions that copy a known share of their draft, with guesses and without",
		Long: `Measure revision turns of fixed length that copy a known share of their draft, with prompt-lookup
guesses and without, in turns. The model computes every token; what it says is scripted, since no model
copies as much as one would like to measure.`,
		Example: `  amend bench speculation --model smollm2 --row-counts 1,4,16 --copied 0,50,80,95,100`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", "", "the GGUF model: a path, smollm2, or a name that amend model ls shows (required)")
	f.StringSliceVar(&o.variants, "variants", []string{bench.Amend}, "amend, and amend prefix-copied, where every row holds the preamble")
	f.IntSliceVar(&o.rows, "row-counts", []int{1, 4, 16}, "rows at once")
	f.IntSliceVar(&o.copied, "copied", []int{0, 50, 80, 95, 100}, "percent of the draft that the revision copies")
	f.IntVar(&o.preamble, "preamble", 1024, "tokens that all rows share")
	f.IntVar(&o.draft, "draft", 96, "tokens of the draft and of the revision")
	f.Uint64Var(&o.seed, "seed", 1, "the seed of the random token ids")
	f.StringVar(&o.kvType, "kv-type", runner.KVAuto, "type of the cached keys: f16, q8_0 or auto, as for amend run")
	f.IntVar(&o.threads, "threads", 0, "CPU threads; 0 takes one for each core")
	f.IntVar(&o.gpuLayers, "gpu-layers", -1, "layers to put on a GPU, where there is one; -1 puts all")
	f.BoolVar(&o.json, "json", false, "print the report as one JSON object")
	return cmd
}

func (o *speculationOptions) run(cmd *cobra.Command) (err error) {
	ctx := cmd.Context()
	o.kv, o.flash, o.repeat, o.peerSlots = string(runner.Auto), flashAuto, 1, 1
	if err := o.validate(speculationVariants()); err != nil {
		return usage(err)
	}
	ranges := []limits{{"--preamble", o.preamble, 1, 1 << 20}, {"--draft", o.draft, 8, 1 << 16}}
	for _, n := range o.rows {
		ranges = append(ranges, limits{"--row-counts", n, 1, 255})
	}
	var shares []float64
	for _, percent := range o.copied {
		ranges = append(ranges, limits{"--copied", percent, 0, 100})
		shares = append(shares, float64(percent)/100)
	}
	if err := within(ranges); err != nil {
		return usage(err)
	}
	s := newBenchSession(cmd, o.benchOptions)
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.openModel(ctx); err != nil {
		return err
	}
	vocab, err := runner.NewVocab(s.model.Vocab(), chat.ThinkTags{})
	if err != nil {
		return err
	}
	setting, err := s.setting(o.preamble)
	if err != nil {
		return err
	}
	b := bench.Speculation{Open: s.openContext, Vocab: vocab, Size: s.model.Vocab().Size(), Setting: setting, Preamble: o.preamble, Draft: o.draft, Request: 16, Seed: o.seed}
	var table []bench.Copied
	for _, n := range o.rows {
		for _, name := range o.variants {
			s.say("%s: %d rows, %s", name, n, setting)
			c, err := b.Run(ctx, name, n, shares)
			if err != nil {
				return err
			}
			table = append(table, c...)
		}
	}
	return printSpeculation(cmd.OutOrStdout(), s.report, setting, table, o.json)
}

func printSpeculation(w io.Writer, r bench.Report, set bench.Setting, table []bench.Copied, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(map[string]any{"workload": "speculation", "setup": r.Setup, "setting": set.String(), "table": table})
	}
	fmt.Fprintf(w, "%s %s on %s, %d threads, %s\n\n", r.Setup.Model, r.Setup.Quantization, r.Setup.CPU, r.Setup.Threads, set)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "variant\trows\tcopied\twithout, s\twith, s\ttimes faster\tguesses right")
	for _, c := range table {
		fmt.Fprintf(t, "%s\t%d\t%.0f %%\t%.2f\t%.2f\t%.2f\t%d of %d\n", c.Variant, c.Rows, 100*c.Share, c.Without, c.With, c.Ratio, c.Accepted, c.Drafted)
	}
	return t.Flush()
}
