package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/bench"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/workload"
	"amend/engine/chat"
)

// workloadOptions are the flags of the workloads of fixed lengths.
type workloadOptions struct {
	benchOptions
	order     string
	lengths   workload.Lengths
	seed      uint64
	floor     bool
	peerCache bool
}

// workloadVariants are amend's ways of doing a workload of fixed lengths.
func workloadVariants() []string {
	return []string{bench.Amend, bench.PrefixCopied, bench.PrefixCache, bench.NoReuse}
}

func (o *workloadOptions) addFlags(f *pflag.FlagSet) {
	o.benchOptions.addFlags(f, workloadVariants())
	f.StringVar(&o.order, "order", "", "loop: append or faithful; feedback: options-first or principle-first (the paper's)")
	f.Uint64Var(&o.seed, "seed", 1, "the seed of the random token ids")
	f.BoolVar(&o.floor, "floor", true, "also measure what plain llama_decode could reach, in turns with amend")
	f.BoolVar(&o.peerCache, "peer-cache", true, "let the server at --peer-url cache prompts")
	for _, l := range o.lengthFlags() {
		f.IntVar(l.value, l.name, 0, l.about+" (default the workload's own)")
	}
}

// lengthFlags are the workload's lengths as flags, in the order of the help.
func (o *workloadOptions) lengthFlags() []struct {
	name, about string
	value       *int
} {
	l := &o.lengths
	return []struct {
		name, about string
		value       *int
	}{
		{"rows", "rows", &l.Rows},
		{"preamble", "tokens that all rows share", &l.Preamble},
		{"prompt", "tokens of a prompt", &l.Prompt},
		{"response", "tokens of a first response", &l.Response},
		{"rounds", "rounds of critique and revision", &l.Rounds},
		{"principles", "principles of each row", &l.Principles},
		{"critique-request", "tokens of a critique request", &l.CritiqueRequest},
		{"critique", "tokens of a critique", &l.Critique},
		{"revision-request", "tokens of a revision request", &l.RevisionRequest},
		{"revision", "tokens of a revision", &l.Revision},
		{"option", "tokens of a judged response", &l.Option},
		{"principle", "tokens of a principle in a judgement", &l.Principle},
	}
}

// fill takes the workload's own length where a flag was not given.
func (o *workloadOptions) fill(cmd *cobra.Command, spec workload.Spec) error {
	given := o.lengths
	flags := o.lengthFlags()
	o.lengths = spec.Lengths
	own := (&workloadOptions{lengths: given}).lengthFlags()
	for i, f := range flags {
		if !cmd.Flags().Changed(f.name) {
			continue
		}
		if *own[i].value < 0 || *own[i].value > 1<<20 {
			return fmt.Errorf("--%s %d: must be from 0 to %d", f.name, *own[i].value, 1<<20)
		}
		*f.value = *own[i].value
	}
	return nil
}

// runBenchWorkload measures and reports one workload of fixed lengths.
func runBenchWorkload(cmd *cobra.Command, name string, o workloadOptions) (err error) {
	specs, _, err := workload.Specs()
	if err != nil {
		return err
	}
	spec, ok := specs[name]
	if !ok {
		return usage(fmt.Errorf("there is no workload %q: give loop, fanout, feedback or text", name))
	}
	if err := o.fill(cmd, spec); err != nil {
		return usage(err)
	}
	if err := o.validate(workloadVariants()); err != nil {
		return usage(err)
	}
	if !o.peerCache && o.peerURL == "" {
		return usage(errors.New("--peer-cache=false is about a server: give its --peer-url"))
	}
	s := &workloadBench{benchSession: newBenchSession(cmd, o.benchOptions), options: o}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(cmd.Context(), name); err != nil {
		return err
	}
	if o.peerURL != "" {
		err = s.measurePeer(cmd.Context())
	} else {
		err = s.measure(cmd.Context())
	}
	if err != nil {
		return err
	}
	return printBench(cmd.OutOrStdout(), s.report, o.json)
}

// workloadBench measures one workload of fixed lengths.
type workloadBench struct {
	*benchSession
	options workloadOptions
	work    *workload.Workload
}

// open loads the model and makes the workload.
func (s *workloadBench) open(ctx context.Context, name string) error {
	if err := s.openModel(ctx); err != nil {
		return err
	}
	w, err := workload.New(name, s.options.order, s.options.lengths, s.model.Vocab().Size(), s.options.seed)
	if err != nil {
		return usage(err)
	}
	s.work = w
	s.report.Workload, s.report.Order, s.report.Lengths, s.report.Expected = name, w.Order, w.Lengths, w.Count()
	return nil
}

// measure runs amend's variants in turns, with the floor before and after each
// run of amend.
func (s *workloadBench) measure(ctx context.Context) error {
	b, err := s.newBench()
	if err != nil {
		return err
	}
	s.report.Setting = b.Setting.String()
	var floors *bench.Floors
	if s.options.floor {
		other := b.Setting
		other.FlashAttention = !other.FlashAttention
		if floors, err = b.Floors(ctx, b.Setting, other); err != nil {
			return err
		}
	}
	s.report.Variants, err = s.options.inTurns(s.options.variants, func(name string) (bench.Variant, error) {
		v, stats, err := b.Run(ctx, name)
		if err != nil || name != bench.Amend {
			return v, err
		}
		s.report.GoShare = 1 - (stats.PrefillTime+stats.DecodeTime).Seconds()/v.WallS
		if floors != nil {
			err = floors.After(ctx, v.WallS)
		}
		return v, err
	})
	if err != nil {
		return err
	}
	if floors != nil {
		floors.Report(&s.report)
	}
	s.report.Compare()
	return nil
}

func (s *workloadBench) newBench() (*bench.Bench, error) {
	setting, err := s.setting(len(s.work.Preamble))
	if err != nil {
		return nil, err
	}
	vocab, err := runner.NewVocab(s.model.Vocab(), chat.ThinkTags{})
	if err != nil {
		return nil, err
	}
	longest := s.work.Longest()
	size, err := s.fit(len(s.work.Rows), longest, max(longest, s.model.CtxTrain()))
	if err != nil {
		return nil, err
	}
	return &bench.Bench{
		Vocab: vocab, Workload: s.work, Alive: size.Parallel(), Setting: setting, Say: s.say, Open: s.openContext,
	}, nil
}

// measurePeer runs the workload on a server.
func (s *workloadBench) measurePeer(ctx context.Context) (err error) {
	o := s.options
	s.report.Variants, err = o.inTurns([]string{o.peerName}, func(name string) (bench.Variant, error) {
		return bench.Peer(ctx, o.peerURL, name, s.work, o.peerSlots, o.peerCache)
	})
	return err
}
