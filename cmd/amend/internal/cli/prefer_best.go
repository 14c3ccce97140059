package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/render"
	"amend/engine/chat"
	"amend/engine/export"
	"amend/engine/feedback"
	"amend/engine/oracle"
	"amend/engine/revise"
	"amend/engine/reward"
	"amend/engine/runstore"
	"amend/models/testbed"
)

func newPreferBestCommand() *cobra.Command {
	var o preferOptions
	cmd := &cobra.Command{
		Use:   "best RUN (--preference FILE | --by-labels)",
		Short: "Take the best of n samples by a preference model or the judge, and see what that does",
		Long: `Score every sample of a run (amend run --samples) and say what the best of 1, 2, 4, … are like: their score, which
rises by construction, beside what the score stands for. Prompts that the preference model was trained on are left out. Where an oracle knows the answers, how many break a rule; elsewhere
length, refusals and how much is said again and again show when a preference model is over-optimised.

With --by-labels the judge itself chooses: by the labels of amend feedback RUN --pairing first, which compare every
sample of a prompt with its first.`,
		Example: `  amend run --prompts prompts.jsonl --samples 64 --revisions 0 --out runs/samples
  amend prefer best runs/samples --preference preference.json --out best.jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir, o.given = args[0], cmd.Flags()
			if (o.preference == "") != o.byLabels {
				return usage(errors.New("by what? Give either --preference, the file that amend prefer train has made, or --by-labels"))
			}
			if err := o.modelFlags.validate(); err != nil {
				return usage(err)
			}
			return bestOfSamples(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", "", "the model that the preference model was trained over: a path, or a name that amend model ls shows (default the run's own)")
	f.StringVar(&o.preference, "preference", "", "the preference model's file ")
	f.BoolVar(&o.byLabels, "by-labels", false, "choose by the judge's labels of amend feedback RUN --pairing first")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.StringVar(&o.out, "out", "", "write each prompt with its best answer to this file, as JSONL")
	o.modelFlags.addFlags(f)
	return cmd
}

// sampled is a prompt with its samples.
type sampled struct {
	id         string
	messages   []chat.Message
	candidates []reward.Candidate
	rows       []revise.Sample // which of the input's rows the candidates are
}

// bestOfSamples scores a run's samples, from the flags to the table.
func bestOfSamples(cmd *cobra.Command, o preferOptions) (err error) {
	ctx := cmd.Context()
	m, rows, err := runstore.Read(o.dir)
	if err != nil {
		return usage(err)
	}
	all, err := samplesOf(m, rows)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", o.dir, err))
	}
	p := newPreference(cmd, o)
	defer func() { err = errors.Join(err, p.close()) }()
	var measured []*sampled
	if o.byLabels {
		err = scoreByLabels(o.dir, all)
		all = slices.DeleteFunc(all, func(s *sampled) bool { return len(s.candidates) == 0 })
		measured = all
	} else {
		measured, err = p.scoreByModel(ctx, m, all)
	}
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := writeBest(o.out, all); err != nil {
			return err
		}
	}
	return p.printCurve(cmd.OutOrStdout(), measured, m.Results.Samples)
}

// scoreByModel scores all samples by the preference model, and returns the prompts that it was not trained on.
func (p *preference) scoreByModel(ctx context.Context, m runstore.Manifest, all []*sampled) ([]*sampled, error) {
	if p.options.model == "" {
		p.options.ofRun(m, p.options.given)
	}
	scorer, err := p.openScorer(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.scoreSamples(ctx, scorer, all); err != nil {
		return nil, err
	}
	measured, trained := apart(all, scorer)
	if len(measured) == 0 {
		p.log.Warn("the preference model was trained on every prompt here: the curve is too good", "prompts", trained)
		return all, nil
	}
	if trained > 0 {
		p.log.Info("prompts that the preference model was trained on are not in the curve", "prompts", trained, "of", len(all))
	}
	return measured, nil
}

// scoreByLabels scores samples by what the judge says of each against the first one of its prompt: the logarithm of the odds
// that it is better. A sample without a valid label of its very text is no candidate, and a prompt whose first sample is
// missing has none.
func scoreByLabels(dir string, all []*sampled) error {
	set, err := runstore.ReadFeedback(dir)
	if err != nil {
		return usage(err)
	}
	if !strings.HasSuffix(set.Settings.Source, samplesAgainstFirst) {
		return usage(fmt.Errorf("the labels of %s compare other pairs: amend feedback %s --pairing %s makes those that are needed", dir, dir, pairFirst))
	}
	better := map[[2]string]float64{} // than the first of its prompt, by the conversation and both texts
	for l, err := range set.Labels {
		if err != nil {
			return err
		}
		if l.Label.P != nil {
			const sure = 1e-9 // of a judge that leaves no doubt
			p := min(max(*l.Label.P, sure), 1-sure)
			better[judgedTexts(l.Pair.Messages, l.Pair.First, l.Pair.Second)] = math.Log1p(-p) - math.Log(p)
		}
	}
	for _, s := range all {
		if s.rows[0].Number != 1 {
			s.candidates = nil
			continue
		}
		kept, first := 0, s.candidates[0].Text
		for _, c := range s.candidates {
			score, ok := better[judgedTexts(s.messages, first, c.Text)]
			if c.Text == first { // itself, or one that was not compared with it
				score, ok = 0, true
			}
			if c.Score = score; ok {
				s.candidates[kept] = c
				kept++
			}
		}
		s.candidates = s.candidates[:kept]
	}
	return nil
}

// judgedTexts name a comparison by what was judged.
func judgedTexts(conversation []chat.Message, first, second string) [2]string {
	return [2]string{feedback.PromptHash(conversation) + first, second}
}

// apart leaves out the prompts that a model was trained on, and counts them.
func apart(all []*sampled, m *reward.Model) (others []*sampled, trained int) {
	for _, s := range all {
		if m.TrainedOn(feedback.PromptHash(s.messages)) {
			trained++
		} else {
			others = append(others, s)
		}
	}
	return others, trained
}

// scoreSamples scores all candidates; their hidden states are kept in the run.
func (p *preference) scoreSamples(ctx context.Context, scorer *reward.Model, all []*sampled) (err error) {
	for _, s := range all {
		for _, c := range s.candidates {
			if err := p.measure(ctx, s.messages, c.Text); err != nil {
				return fmt.Errorf("prompt %s: %w", s.id, err)
			}
		}
	}
	if err := p.makeRoom(); err != nil {
		return err
	}
	if err := p.keepIn(p.options.dir); err != nil {
		return err
	}
	p.log.Info("scoring", "model", p.file.Name, "prompts", len(all))
	p.shown = newProgress(p.options.progress, p.stderr, p.log, len(all), 0)
	defer p.shown.close(p.stderr)
	for _, s := range all {
		for i := range s.candidates {
			f, err := p.features(ctx, s.messages, s.candidates[i].Text)
			if err == nil {
				s.candidates[i].Score, err = scorer.Score(f)
			}
			if err != nil {
				return fmt.Errorf("prompt %s: %w", s.id, err)
			}
		}
		p.shown.row(false)
		p.shown.tell()
	}
	return nil
}

// samplesOf groups the final answers of a run by prompt. Empty ones are no candidates, and a prompt that has none is left out.
func samplesOf(m runstore.Manifest, rows iter.Seq2[revise.Record, error]) ([]*sampled, error) {
	if m.Results.Samples < 2 {
		return nil, errors.New("there is one answer to each prompt, and nothing to choose from: make the run with --samples")
	}
	var world *testbed.World
	if isTestbed(m) {
		world = testbed.New()
	}
	var all []*sampled
	at := map[string]*sampled{}
	for rec, err := range rows {
		if err != nil {
			return nil, err
		}
		final, ok := rec.Final()
		if !ok || rec.Error != "" || rec.Sample == nil || final.Text == "" {
			continue
		}
		s := at[rec.Sample.Of]
		if s == nil {
			s = &sampled{id: rec.Sample.Of, messages: rec.Conversation()}
			at[s.id] = s
			all = append(all, s)
		}
		c := reward.Candidate{Text: final.Text}
		if world != nil {
			a, ok := oracle.Quality(world, rec, final.Text)
			c.Known, c.Broken, c.Facts, c.InGrammar, c.Doubtful = ok, len(a.Broken), a.Facts, a.InGrammar, a.Doubtful
		}
		s.candidates, s.rows = append(s.candidates, c), append(s.rows, *rec.Sample)
	}
	if len(all) == 0 {
		return nil, errors.New("no row has an answer")
	}
	return all, nil
}

// writeBest writes each prompt with its best answer.
func writeBest(path string, all []*sampled) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return usage(fmt.Errorf("writing the best answers: %w", err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	enc := json.NewEncoder(f)
	enc.SetEscapeHTML(false)
	for _, s := range all {
		row := struct {
			ID       string           `json:"id"`
			Messages []export.Message `json:"messages"`
			Score    float64          `json:"score"`
		}{ID: s.id}
		for _, m := range s.messages {
			row.Messages = append(row.Messages, export.Message{Role: string(m.Role), Content: m.Text})
		}
		best := s.candidates[reward.Best(s.candidates)]
		row.Messages = append(row.Messages, export.Message{Role: string(chat.Assistant), Content: best.Text})
		row.Score = best.Score
		if err := enc.Encode(row); err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
	}
	return nil
}

func (p *preference) printCurve(w io.Writer, all []*sampled, samples int) error {
	groups := make([][]reward.Candidate, len(all))
	for i, s := range all {
		groups[i] = s.candidates
	}
	curve := reward.Curve(groups, samples)
	if len(curve) == 0 {
		return usage(fmt.Errorf("no prompt of %s has all of its %d samples", p.options.dir, samples))
	}
	if left := len(all) - curve[0].Prompts; left > 0 {
		p.log.Warn("prompts are left out, of which some sample failed, is empty or has no valid label", "prompts", left, "of", len(all))
	}
	if p.options.json {
		out := map[string]any{"prompts": len(all), "curve": curve}
		if p.states != nil {
			out["tokens_computed"], out["tokens_reused"] = p.states.Computed, p.states.Reused
		}
		return render.JSON(w, out)
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "best of\tprompts\tscore\tbreak a rule\t95 %\tat most\tin grammar\tfacts\tof the best of 1's\tcharacters\trefusals\tdistinct\t")
	for _, s := range curve {
		fmt.Fprintf(tw, "%d\t%d\t%.3f\t%s\t%.0f\t%s\t%.1f%%\t\n", s.N, s.Prompts, s.Score, knownCells(s.Known), s.Chars, render.Share(s.Refusals), 100*s.Distinct)
	}
	return tw.Flush()
}

// knownCells are the cells of a row that only an oracle can fill.
func knownCells(k *reward.Known) string {
	if k == nil {
		return "–\t\t–\t–\t–\t"
	}
	kept := fmt.Sprintf("%.1f%% (%.1f–%.1f)", 100*k.FactsKept.Value, 100*k.FactsKept.Low, 100*k.FactsKept.High)
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%.2f\t%s", render.Share(k.Violating), render.Interval(k.Violating), render.Share(k.AtMost), render.Share(k.InGrammar), k.Facts, kept)
}
