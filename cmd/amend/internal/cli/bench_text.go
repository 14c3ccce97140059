package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/bench"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/workload"
	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/prompts"
	"amend/engine/revise"
)

// textWorkload is the name of the workload on text, and textConstitution the
// document it runs under, whose few-shots are a preamble of over 1,000 tokens.
const (
	textWorkload     = "text"
	textConstitution = "hhh"
)

// textOptions are the flags of `amend bench text`.
type textOptions struct {
	benchOptions
	prompts     string
	limit       int
	revisions   int
	maxTokens   int
	temperature float64
	seed        uint64
}

func (o *textOptions) addFlags(f *pflag.FlagSet) {
	o.benchOptions.addFlags(f, bench.TextVariants())
	f.StringVar(&o.prompts, "prompts", "", "the prompts, as for amend run (required)")
	f.IntVar(&o.limit, "limit", 0, "take only the first N rows; 0 takes all")
	f.IntVar(&o.revisions, "revisions", 2, "rounds of critique and revision")
	f.IntVar(&o.maxTokens, "max-tokens", 128, "most tokens of a turn")
	f.Float64Var(&o.temperature, "temperature", 0, "0 takes the likeliest token: then texts do not hang on random streams, which each engine has of its own")
	f.Uint64Var(&o.seed, "seed", 1, "the seed of the draws of principles, and of sampling")
}

func (o *textOptions) validate() error {
	if err := o.benchOptions.validate(bench.TextVariants()); err != nil {
		return err
	}
	if o.prompts == "" {
		return errors.New("--prompts is missing (see amend bench text --help)")
	}
	if err := within([]limits{
		{"--limit", o.limit, 0, 1 << 40},
		{"--revisions", o.revisions, 1, 100},
		{"--max-tokens", o.maxTokens, 1, 1 << 24},
	}); err != nil {
		return err
	}
	return o.settings().Sampling.Validate()
}

// settings are the loop's: the paper's mode, without a system text.
func (o *textOptions) settings() revise.Settings {
	return revise.Settings{
		Rounds: o.revisions, Mode: revise.Faithful, MaxTokens: o.maxTokens,
		Sampling: engine.Sampling{Temperature: o.temperature, TopP: 1}, Seed: o.seed,
	}
}

func newBenchTextCommand() *cobra.Command {
	var o textOptions
	cmd := &cobra.Command{
		Use:   textWorkload,
		Short: "Measure rounds of critique and revision on text",
		Long: `Measure what amend run does, on prompts, under the constitution hhh with its few-shots and the
model's own template: turns end by themselves where the model ends them. Nothing is written.

The variants are amend as it is, with the preamble copied to every row, and without guessing repeated
tokens; the time of measuring when guesses pay is in wall_s and also apart, as calibration_s. With
--peer-url the same conversations are had with a llama-server through its chat endpoint, principles
drawn alike. Its texts differ in part, by rounding and by tokenizing text anew each turn; decode_tokens
says how alike the work was.`,
		Example: `  amend bench text --model smollm2 --prompts examples/prompts.jsonl
  amend bench text --model smollm2 --prompts examples/prompts.jsonl --peer-url http://127.0.0.1:8080 --peer-slots 8`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return usage(err)
			}
			return runBenchText(cmd, o)
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}

// runBenchText measures and reports the text workload.
func runBenchText(cmd *cobra.Command, o textOptions) (err error) {
	s := &textBench{benchSession: newBenchSession(cmd, o.benchOptions), options: o}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.readInputs(cmd.InOrStdin()); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{s.openModel, s.openLoop, s.describe, s.measure} {
		if err := step(cmd.Context()); err != nil {
			return err
		}
	}
	return printBench(cmd.OutOrStdout(), s.report, o.json)
}

// textBench measures the text workload.
type textBench struct {
	*benchSession
	options textOptions
	doc     *constitution.Document
	rows    []revise.Row
	vocab   *runner.Vocab
	loop    *revise.Loop
	need    int // the most tokens that a row can come to hold
	sharing int // rows that begin with the loop's prefix
}

// readInputs reads constitution and prompts. A row that cannot be read is an
// error: figures of other rows than those asked for compare with nothing.
func (s *textBench) readInputs(stdin io.Reader) (err error) {
	if s.doc, err = constitution.Load(textConstitution); err != nil {
		return err
	}
	set, err := prompts.Read(s.options.prompts, stdin, prompts.Options{Limit: s.options.limit})
	if err != nil {
		return usage(err)
	}
	if len(set.Bad) > 0 {
		return usage(fmt.Errorf("%d rows of %s cannot be read; the first: %v", len(set.Bad), s.options.prompts, set.Bad[0]))
	}
	s.rows = set.Rows
	return nil
}

// openLoop prepares conversations in the model's own template, and the loop.
func (s *textBench) openLoop(ctx context.Context) error {
	source, ok := s.model.ChatTemplate("")
	if !ok {
		return usage(fmt.Errorf("%s carries no chat template, which a server would need too: bring a model that has one", s.info.Path))
	}
	t, err := startTemplate(s.model.Vocab(), source, time.Now().UTC())
	if err != nil {
		return err
	}
	s.closers = append(s.closers, t.Close)
	settings := s.options.settings()
	settings.Think, _ = chat.TagsFor(source)
	if s.vocab, err = runner.NewVocab(s.model.Vocab(), settings.Think); err != nil {
		return err
	}
	format, err := chat.NewFormatter(ctx, chat.NewTemplate(runner.NewRenderer(t)), s.vocab)
	if err != nil {
		return usage(err)
	}
	if s.loop, err = revise.New(ctx, format, s.doc, settings); err != nil {
		return usage(err)
	}
	for _, r := range s.rows {
		need, err := s.loop.Need(ctx, r)
		if err != nil {
			return usage(fmt.Errorf("row %s: %w", r.ID, err))
		}
		s.need = max(s.need, need.Tokens)
		if need.Unshared == 0 {
			s.sharing++
		}
	}
	return nil
}

// describe notes in the report what the workload is. How many tokens it has is
// known only when its texts are written.
func (s *textBench) describe(context.Context) error {
	turns := 0
	for _, r := range s.rows {
		turns += 2 * s.options.revisions
		if r.Response == nil {
			turns++
		}
	}
	s.report.Workload, s.report.Order = textWorkload, string(revise.Faithful)
	s.report.Lengths = workload.Lengths{Rows: len(s.rows), Preamble: len(s.loop.Prefix()), Rounds: s.options.revisions}
	s.report.Expected.Turns, s.report.Need = turns, s.need
	s.say("%s: %d rows, %d turns, preamble %d tokens, a row needs up to %d", textWorkload, len(s.rows), turns, len(s.loop.Prefix()), s.need)
	return nil
}

// measure runs amend's variants, or the peer.
func (s *textBench) measure(ctx context.Context) (err error) {
	o := s.options
	if o.peerURL != "" {
		c := bench.Chat{Doc: s.doc, Rows: s.rows, Settings: o.settings()}
		s.report.Variants, err = o.inTurns([]string{o.peerName}, func(name string) (bench.Variant, error) {
			return bench.ChatPeer(ctx, o.peerURL, name, c, o.peerSlots)
		})
		return err
	}
	preamble := len(s.loop.Prefix())
	if s.sharing < len(s.rows) {
		preamble = 0 // some need cells for all their tokens
	}
	setting, err := s.setting(preamble)
	if err != nil {
		return err
	}
	size, err := s.fit(len(s.rows), s.need, s.model.CtxTrain())
	if err != nil {
		return err
	}
	if s.need > size.Limit {
		return usage(fmt.Errorf("a row can come to hold %d tokens, and the model was trained on %d: lower --max-tokens, or take other prompts", s.need, size.Limit))
	}
	b := bench.Text{
		Loop: s.loop, Rows: s.rows, Vocab: s.vocab, Setting: setting,
		Alive: size.Parallel(), Need: s.need, Open: s.openContext, Say: s.say,
	}
	s.report.Setting = setting.String()
	s.report.Variants, err = o.inTurns(o.variants, func(name string) (bench.Variant, error) {
		v, stats, err := b.Run(ctx, name)
		if err == nil && name == bench.Amend {
			s.report.GoShare = 1 - (stats.PrefillTime+stats.DecodeTime).Seconds()/(v.WallS-v.CalibrationS)
		}
		return v, err
	})
	s.report.Compare()
	return err
}
