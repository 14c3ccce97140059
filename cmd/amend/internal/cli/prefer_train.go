package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/render"
	"amend/cmd/amend/internal/runner"
	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/prompts"
	"amend/engine/reward"
	"amend/engine/runstore"
	"amend/internal/atomicfile"
	"amend/models/testbed"
)

// preference is one `amend prefer`: a model whose hidden states are read.
type preference struct {
	session
	options preferOptions
	states  *runner.States
	kept    *runstore.States // nil: nothing is kept
	name    string           // of the states
	most    int              // tokens of the longest conversation
}

func newPreference(cmd *cobra.Command, o preferOptions) *preference {
	p := &preference{options: o}
	p.session = newSession(&p.options.modelFlags, noEngine(), cmd.ErrOrStderr())
	return p
}

// open loads the model, for conversations that show this date.
func (p *preference) open(ctx context.Context, date string) error {
	p.date = date
	for _, step := range []func(context.Context) error{p.openModel, p.openFormat} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	p.name = p.identity("").States()
	return nil
}

// openScorer loads the preference model's file and the model that it belongs to.
func (p *preference) openScorer(ctx context.Context) (*reward.Model, error) {
	text, err := os.ReadFile(p.options.preference)
	if err != nil {
		return nil, usage(err)
	}
	m, err := reward.Decode(text)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", p.options.preference, err))
	}
	if err := p.open(ctx, m.Date); err != nil {
		return nil, err
	}
	if err := m.Of(p.name); err != nil {
		return nil, usage(fmt.Errorf("%s: %w", p.options.preference, err))
	}
	return m, nil
}

// measure counts the tokens of a conversation with a response.
func (p *preference) measure(ctx context.Context, msgs []chat.Message, response string) error {
	ids, _, err := p.tokens(ctx, msgs, response)
	p.most = max(p.most, len(ids))
	return err
}

// makeRoom makes the context, for the conversations that were measured.
func (p *preference) makeRoom() error {
	room := max(p.most, 1)
	if trained := p.model.CtxTrain(); room > trained && p.options.context == 0 {
		return usage(fmt.Errorf("a conversation with its answer has %d tokens, and %s was trained on %d: leave it out, or give --ctx %d all the same", room, p.file.Name, trained, room))
	}
	if p.options.context > 0 {
		room = p.options.context
	}
	kind, err := p.kind()
	if err != nil {
		return err
	}
	if p.states, err = runner.NewStates(p.model, room, kind); err != nil {
		return err
	}
	p.closers = append(p.closers, p.states.Close)
	return nil
}

// keepIn keeps hidden states in a directory.
func (p *preference) keepIn(dir string) (err error) {
	if p.kept, err = runstore.OpenStates(dir); err == nil {
		p.closers = append(p.closers, p.kept.Close)
	}
	return err
}

// tokens is a conversation with a response, and where the response begins.
func (p *preference) tokens(ctx context.Context, msgs []chat.Message, response string) (ids []chat.Token, from int, err error) {
	c, err := p.format.Open(ctx, msgs)
	if err != nil {
		return nil, 0, err
	}
	reply, err := c.Reply(ctx, response)
	if err != nil {
		return nil, 0, err
	}
	return append(append(ids, c.Tokens...), reply...), len(c.Tokens), nil
}

// features are the hidden states of a response: those that are kept, or computed.
func (p *preference) features(ctx context.Context, msgs []chat.Message, response string) (f reward.Features, err error) {
	ids, from, err := p.tokens(ctx, msgs, response)
	if err != nil {
		return f, err
	}
	key := reward.NewKey(p.name, ids, from)
	if p.kept != nil {
		f, ok, err := p.kept.Get(key)
		f.Tokens = len(ids) - from
		if ok || err != nil {
			return f, err
		}
	}
	if f, err = p.states.Of(ctx, ids, from); err != nil || p.kept == nil {
		return f, err
	}
	if err := p.kept.Put(key, f); err != nil {
		return f, &exitError{exitStopped, err}
	}
	return f, nil
}

// trained is what `amend prefer train --json` prints.
type trained struct {
	Out       string         `json:"out"`
	Pairs     int            `json:"pairs"` // labelled, that were trained on
	Held      int            `json:"held_out"`
	Unusable  int            `json:"unusable"` // without a label, or with an empty answer
	States    string         `json:"states"`
	Pooling   reward.Pooling `json:"pooling"`
	L2        float64        `json:"l2"`
	Trials    []reward.Trial `json:"trials"`
	Marks     []reward.Mark  `json:"marks"` // over the prompts that were held out
	Computed  int            `json:"tokens_computed"`
	Reused    int            `json:"tokens_reused"`
	ExtractS  float64        `json:"extract_s"`
	TrainS    float64        `json:"train_s"`
	Dimension int            `json:"dimension"`
}

// labels are a directory's, with what is known of their pairs.
type labels struct {
	dir   string
	set   runstore.FeedbackSet
	truth feedback.Truth
	all   []feedback.Labelled // that can be used
	pairs []reward.Pair       // of all, with their hidden states
	cases []reward.Case
}

// trainPreference trains a preference model, from the flags to the summary.
func trainPreference(cmd *cobra.Command, o preferOptions) (err error) {
	ctx := cmd.Context()
	p := newPreference(cmd, o)
	defer func() { err = errors.Join(err, p.close()) }()
	if err := writable(o.out); err != nil { // before hours of work
		return usage(err)
	}
	taught, err := p.readLabels(o.dir)
	if err != nil {
		return err
	}
	sets := []*labels{taught}
	if o.known != "" {
		known, err := p.readLabels(o.known)
		if err != nil {
			return err
		}
		sets = append(sets, known)
	}
	if err := p.modelOf(taught); err != nil {
		return err
	}
	if err := p.open(ctx, taught.set.Settings.Date); err != nil {
		return err
	}
	out := trained{Out: o.out, States: p.name}
	for _, s := range sets {
		if s.all, err = p.usable(ctx, s.set.Labels, &out); err != nil {
			return err
		}
	}
	if err := p.makeRoom(); err != nil {
		return err
	}
	for _, s := range sets {
		if err := p.extract(ctx, s, &out); err != nil {
			return err
		}
	}
	if err := p.train(ctx, sets, &out); err != nil {
		return err
	}
	if o.json {
		return render.JSON(cmd.OutOrStdout(), out)
	}
	return printTrained(cmd.OutOrStdout(), out)
}

// readLabels reads the newest labels of a directory.
func (p *preference) readLabels(dir string) (*labels, error) {
	set, err := runstore.ReadFeedback(dir)
	if err != nil {
		return nil, usage(err)
	}
	if set.Done < set.Asked {
		p.log.Warn("the labels are not all there: the amend feedback command that makes them is not done", "dir", dir, "pairs", set.Done, "of", set.Asked)
	}
	if err := warnOfUnfinished(p.log, dir); err != nil {
		return nil, err
	}
	out := &labels{dir: dir, set: set, truth: func(in feedback.Pair, _ string) feedback.Preference { return in.Better }}
	switch m, _, err := runstore.Read(dir); {
	case err == nil:
		out.truth = truthOf(m)
	case !errors.Is(err, runstore.ErrNotARun):
		return nil, err
	}
	return out, nil
}

// usable are the pairs that can be trained on.
func (p *preference) usable(ctx context.Context, labels iter.Seq2[feedback.Labelled, error], out *trained) (all []feedback.Labelled, err error) {
	for l, err := range labels {
		if err != nil {
			return nil, err
		}
		ok := l.Label.P != nil && strings.TrimSpace(l.Pair.First) != "" && strings.TrimSpace(l.Pair.Second) != ""
		if ok {
			err = errors.Join(p.measure(ctx, l.Pair.Messages, l.Pair.First), p.measure(ctx, l.Pair.Messages, l.Pair.Second))
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !ok || err != nil { // a conversation that the template refuses
			out.Unusable++
			continue
		}
		all = append(all, l)
	}
	return all, nil
}

// modelOf takes the model that the labels' run has where none was given.
func (p *preference) modelOf(l *labels) error {
	o := &p.options
	if o.model != "" {
		return nil
	}
	m, _, err := runstore.Read(l.dir)
	switch judge := l.set.Settings.ModelSHA256; {
	case err == nil:
		o.ofRun(m, o.given)
	case judge == testbed.SHA256():
		o.model = testbed.Name
	default:
		return usage(fmt.Errorf("--model is missing: %s does not say where the judge lies (the --judge of amend feedback), only that its sha256 is %s", l.dir, judge))
	}
	return nil
}

// extract computes the hidden states of all pairs.
func (p *preference) extract(ctx context.Context, l *labels, out *trained) (err error) {
	if err := p.keepIn(l.dir); err != nil {
		return err
	}
	begun := time.Now()
	p.log.Info("reading hidden states", "model", p.file.Name, "dir", l.dir, "pairs", len(l.all))
	p.shown = newProgress(p.options.progress, p.stderr, p.log, len(l.all), 0)
	defer p.shown.close(p.stderr)
	for _, one := range l.all {
		pair := reward.Pair{Prompt: feedback.PromptHash(one.Pair.Messages), P: *one.Label.P}
		if pair.First, err = p.features(ctx, one.Pair.Messages, one.Pair.First); err != nil {
			return fmt.Errorf("pair %s: %w", one.Pair.ID, err)
		}
		if pair.Second, err = p.features(ctx, one.Pair.Messages, one.Pair.Second); err != nil {
			return fmt.Errorf("pair %s: %w", one.Pair.ID, err)
		}
		c := reward.Case{Prompt: pair.Prompt, First: one.Pair.First, Second: one.Pair.Second, Label: pair.P}
		if better := l.truth(one.Pair, ""); better == feedback.First || better == feedback.Second {
			first := better == feedback.First
			c.Truth = &first
		}
		l.pairs, l.cases = append(l.pairs, pair), append(l.cases, c)
		p.shown.row(false)
		p.shown.tell()
	}
	out.Computed, out.Reused = p.states.Computed, p.states.Reused
	out.ExtractS += time.Since(begun).Seconds()
	return nil
}

// split says what is trained on and what the model is marked on: a share of the prompts of the first labels, or those of the
// second that the first have not.
func (p *preference) split(sets []*labels) (used, held []reward.Pair, taught, known []reward.Case) {
	taken := map[string]bool{}
	for i, pair := range sets[0].pairs {
		if len(sets) == 1 && reward.HeldOut(pair.Prompt, p.options.test) {
			held, known = append(held, pair), append(known, sets[0].cases[i])
		} else {
			used, taught = append(used, pair), append(taught, sets[0].cases[i])
			taken[pair.Prompt] = true
		}
	}
	for _, s := range sets[1:] {
		before := len(held)
		for i, pair := range s.pairs {
			if !taken[pair.Prompt] {
				held, known = append(held, pair), append(known, s.cases[i])
			}
		}
		if left := len(s.pairs) - (len(held) - before); left > 0 {
			p.log.Info("pairs of prompts that were trained on are left out", "dir", s.dir, "pairs", left)
		}
	}
	return used, held, taught, known
}

// train fits the model, marks it on the prompts that are held out, and writes it.
func (p *preference) train(ctx context.Context, sets []*labels, out *trained) error {
	begun := time.Now()
	used, heldPairs, taught, held := p.split(sets)
	if err := reward.Check(used); err != nil {
		return usage(fmt.Errorf("%s: %w", p.options.dir, err))
	}
	if len(held) == 0 {
		p.log.Warn("no prompt is held out, so nothing is known of how good the model is: label more, raise --test, or give --test-on")
	}
	m, trials, err := reward.Train(ctx, used, p.name)
	if err != nil {
		return fmt.Errorf("training on %s: %w", p.options.dir, err)
	}
	m.Date = p.date
	for i, pair := range heldPairs {
		if held[i].Predicted, err = m.Compare(pair); err != nil {
			return err
		}
	}
	length, refusal := reward.Signs(taught)
	out.Pairs, out.Held, out.Pooling, out.L2, out.Trials, out.Dimension = len(used), len(held), m.Pooling, m.L2, trials, len(m.Weights)
	out.Marks, out.TrainS = reward.Marks(held, length, refusal), time.Since(begun).Seconds()
	text, err := m.Encode()
	if err != nil {
		return err
	}
	return usage(atomicfile.WriteFile(p.options.out, text))
}

// writable reports what keeps a file from being written.
func writable(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("--out %s: it is a folder, and a file is to be written", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	var why *fs.PathError
	if errors.As(err, &why) { // whose path is a name that nobody gave
		return fmt.Errorf("--out %s: its folder cannot be written to: %w", path, why.Err)
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func printTrained(w io.Writer, t trained) error {
	render.Field(w, "pairs", fmt.Sprintf("%d trained on, %d held out, %d unusable", t.Pairs, t.Held, t.Unusable))
	render.Field(w, "states", fmt.Sprintf("%s tokens computed, %s reused, in %.1f s", render.Grouped(t.Computed), render.Grouped(t.Reused), t.ExtractS))
	render.Field(w, "training", fmt.Sprintf("%.1f s: %s of %d hidden states, penalty %g, by cross-validation", t.TrainS, t.Pooling, t.Dimension, t.L2))
	render.Field(w, "model", t.Out)
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "over the held-out prompts\tas the judge\t95 %\tas is true\t95 %\tthe model gains, points\t")
	for _, m := range t.Marks {
		truth, ci := "–", ""
		if m.Truth != nil {
			truth, ci = render.Share(*m.Truth), render.Interval(*m.Truth)
		}
		gain := fmt.Sprintf("%+.1f (%+.1f to %+.1f)", 100*m.Gain.Value, 100*m.Gain.Low, 100*m.Gain.High)
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t\n", m.Name, render.Share(m.Labels), render.Interval(m.Labels), truth, ci, gain)
	}
	return tw.Flush()
}

// scoreAnswers scores rows with responses, a line of JSON each.
func scoreAnswers(cmd *cobra.Command, o preferOptions) (err error) {
	ctx := cmd.Context()
	set, err := prompts.Read(o.prompts, cmd.InOrStdin(), prompts.Options{FromResponses: true, Limit: o.limit})
	if err != nil {
		return usage(err)
	}
	p := newPreference(cmd, o)
	defer func() { err = errors.Join(err, p.close()) }()
	warnOfBadRows(p.log, set.Bad)
	m, err := p.openScorer(ctx)
	if err != nil {
		return err
	}
	for _, r := range set.Rows {
		if r.Response == nil {
			return usage(fmt.Errorf("row %s has no response to score", r.ID))
		}
		if err := p.measure(ctx, r.Messages, *r.Response); err != nil {
			return usage(fmt.Errorf("row %s: %w", r.ID, err))
		}
	}
	if err := p.makeRoom(); err != nil {
		return err
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	for _, r := range set.Rows {
		f, err := p.features(ctx, r.Messages, *r.Response)
		if err != nil {
			return fmt.Errorf("row %s: %w", r.ID, err)
		}
		score, err := m.Score(f)
		if err != nil {
			return err
		}
		if err := enc.Encode(map[string]any{"id": r.ID, "score": score}); err != nil {
			return err
		}
	}
	if len(set.Bad) > 0 {
		return &exitError{exitRowsFailed, fmt.Errorf("%d of %d rows could not be read; the first: %v", len(set.Bad), len(set.Bad)+len(set.Rows), set.Bad[0])}
	}
	return nil
}
