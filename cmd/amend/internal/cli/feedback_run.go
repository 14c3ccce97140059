package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/runner"
	"amend/constitution"
	"amend/engine/digest"
	"amend/engine/feedback"
	"amend/engine/llama"
	"amend/engine/prompts"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/models/testbed"
)

// labelling is one `amend feedback`, put together step by step: pairs, judge, context, labels.
type labelling struct {
	session
	options feedbackOptions
	dir     string

	doc    *constitution.Document
	pairs  []feedback.Pair
	source digest.PairSource // which they are
	bad    []prompts.BadRow
	alike  int // pairs left out, whose two answers are the same
	truth  feedback.Truth
	judge  *feedback.Judge
	how    runner.Size // the context computes
	store  *runstore.Feedback
	todo   []feedback.Pair   // without a label
	place  map[string]int    // of pairs, by id
	failed map[string]string // why a pair could not be judged, by id
}

// runFeedback labels pairs, from the flags to the summary.
func runFeedback(cmd *cobra.Command, o feedbackOptions) (err error) {
	ctx := cmd.Context()
	l := &labelling{options: o, dir: o.out, place: map[string]int{}, failed: map[string]string{}}
	if o.run != "" {
		l.dir = o.run
	}
	l.session = newSession(&l.options.modelFlags, &l.options.engineFlags, cmd.ErrOrStderr())
	if l.date, err = labelDate(l.dir, o.run); err != nil {
		return usage(err)
	}
	defer func() { err = errors.Join(err, l.close()) }()
	for _, step := range []func(context.Context) error{
		func(context.Context) error { return l.readPairs(cmd.InOrStdin()) },
		func(context.Context) error { return l.readConstitution() },
		l.openModel, l.openAdapter, l.openFormat, l.openJudge, l.openLabels,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := l.run(ctx); err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return &unfinishedError{err}
		}
		return err
	}
	return l.summarize(cmd.OutOrStdout())
}

// labelDate is the date that templates see: that of the labels that are there, else the run's, else today's.
func labelDate(dir, run string) (string, error) {
	set, err := runstore.ReadFeedback(dir)
	if err == nil {
		return set.Settings.Date, nil
	}
	if !errors.Is(err, runstore.ErrNotARun) {
		return "", err
	}
	if run != "" {
		m, _, err := runstore.Read(run)
		return m.Created, err
	}
	return time.Now().UTC().Format(time.DateOnly), nil
}

// readPairs reads what is to be judged, and with a run by what.
func (l *labelling) readPairs(stdin io.Reader) error {
	o := &l.options
	if o.run != "" {
		return l.readRun()
	}
	if err := notOfARun(l.dir); err != nil {
		return usage(err)
	}
	set, err := prompts.ReadPairs(o.pairs, stdin, o.limit)
	if err != nil {
		return usage(err)
	}
	if len(set.Pairs) == 0 {
		return usage(fmt.Errorf("none of the %d rows of %s is a pair; the first: %v", len(set.Bad), o.pairs, set.Bad[0]))
	}
	l.pairs, l.bad, l.source = set.Pairs, set.Bad, digest.PairSource{Pairs: set.SHA256}
	warnOfBadRows(l.log, l.bad)
	l.truth = func(in feedback.Pair, _ string) feedback.Preference { return in.Better }
	if o.model == "" {
		o.model = testbed.Name
	}
	return nil
}

// notOfARun refuses a run directory as the folder of other pairs' labels: whoever reads labels there takes them for those of the
// run's answers.
func notOfARun(out string) error {
	_, _, err := runstore.Read(out)
	switch {
	case err == nil:
		return fmt.Errorf("--out %s: it is a run directory, and its labels are of the run's own answers: give another folder for those of --pairs, or amend feedback %s to judge the run", out, out)
	case errors.Is(err, runstore.ErrNotARun):
		return nil
	}
	return err
}

// readConstitution composes the layers that were given, or takes the run's.
func (l *labelling) readConstitution() (err error) {
	o := l.options
	layers, principles := o.constitutions, o.principles
	if len(layers) == 0 && o.run != "" {
		manifest, _, err := runstore.Read(o.run)
		if err != nil {
			return err
		}
		if l.doc, err = constitutionOf(o.run, manifest); err != nil || len(principles) == 0 {
			return usage(err)
		}
	} else {
		if len(layers) == 0 {
			layers = []string{defaultConstitution(o.model)}
		}
		if l.doc, err = constitution.Load(layers...); err != nil {
			return usage(err)
		}
	}
	l.doc, err = l.doc.Select(principles)
	return usage(err)
}

// drawable is how many principles of a constitution a pair can be judged under.
func drawable(doc *constitution.Document) (n int) {
	for _, p := range doc.Principles {
		if p.Weight > 0 {
			n++
		}
	}
	if n == 0 { // then all are drawn alike
		return len(doc.Principles)
	}
	return n
}

func (l *labelling) openJudge(ctx context.Context) (err error) {
	o := &l.options
	o.draws = min(o.draws, drawable(l.doc)) // more can be asked for, and are no other labels
	l.judge, err = feedback.New(ctx, l.format, l.doc, feedback.Settings{
		Layout: feedback.PromptOrder(o.layout), Principles: o.draws, Seed: o.seed, MinMass: o.minMass,
		Reasonings: o.reasonings, Clamp: [2]float64(o.clamp), MaxTokens: o.maxTokens, Sampling: o.sampling,
	})
	return usage(err)
}

// openLabels opens the labels, and finds the pairs that have none.
func (l *labelling) openLabels(context.Context) (err error) {
	o := l.options
	if l.how, err = l.kind(); err != nil {
		return err
	}
	text, err := l.doc.YAML()
	if err != nil {
		return err
	}
	s := runstore.FeedbackSettings{
		Source: l.source, Date: l.date,
		ModelSHA256: l.modelSHA, LoRASHA256: l.adapter.sha, LoRAScale: l.adapterScale(), TemplateSHA256: l.templateSHA, Chat: o.chat, KVType: l.how.TypeK.String(), Deterministic: o.deterministic,
		Constitution: l.doc.Name, ConstitutionSHA256: l.doc.Hash(), ConstitutionText: string(text), Principles: o.draws, Layout: o.layout, Seed: o.seed, MinMass: o.minMass,
	}
	if o.reasonings > 0 {
		s.Reasonings, s.Clamp, s.MaxTokens = o.reasonings, [2]float64(o.clamp), o.maxTokens
		s.Temperature, s.TopK, s.TopP, s.MinP = o.sampling.Temperature, o.sampling.TopK, o.sampling.TopP, o.sampling.MinP
	}
	if l.store, err = runstore.OpenFeedback(l.dir, s); err != nil {
		return err
	}
	l.closers = append(l.closers, l.store.Close)
	l.judge.Use(answers{l.store}, l.identity(s.KVType).Environment())
	for i, p := range l.pairs {
		l.place[p.ID] = i
		if _, ok := l.store.Label(p); !ok {
			l.todo = append(l.todo, p)
		}
	}
	return nil
}

// answers is the store as the judge sees it. An answer that cannot be kept stops the command, which can be continued.
type answers struct{ *runstore.Feedback }

// Put keeps an answer.
func (a answers) Put(key feedback.Key, answer feedback.Answer) error {
	if err := a.Feedback.Put(key, answer); err != nil {
		return &exitError{exitStopped, err}
	}
	return nil
}

// fitContext chooses the sizes of the context from what the pairs need and the memory there is.
func (l *labelling) fitContext(ctx context.Context) error {
	d, err := l.demand()
	if err != nil {
		return err
	}
	d.Rows, d.Preamble = 2*len(l.todo), len(l.judge.Prefix())
	for _, p := range l.todo {
		need, err := l.judge.Need(ctx, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil { // else the pair fails by itself when it is begun
			d.Need = max(d.Need, need)
		}
	}
	if d.AttachFrom, err = l.attachFrom(l.how); err != nil {
		return err
	}
	if err := l.fit(d, l.how); err != nil {
		return err
	}
	if l.size.Limit <= d.Preamble {
		return usage(fmt.Errorf("a judgement may hold %d tokens, and the worked ones of %s take %d already: raise --ctx, or bring a model with a longer context", l.size.Limit, l.doc.Name, d.Preamble))
	}
	return nil
}

// run judges the pairs that have no label yet.
func (l *labelling) run(ctx context.Context) error {
	if len(l.todo) == 0 {
		return nil
	}
	for _, step := range []func(context.Context) error{l.fitContext, l.openEngine} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	before := len(l.pairs) - len(l.todo)
	l.log.Info("judging", "model", l.file.Name, "pairs", len(l.todo), "done before", before, "constitution", l.doc.Name,
		"alive at once", l.size.Parallel(), "tokens a judgement", l.size.Limit, "preamble", len(l.judge.Prefix()))
	l.shown = newProgress(l.options.progress, l.stderr, l.log, len(l.pairs), before)
	defer l.shown.close(l.stderr)
	defer context.AfterFunc(ctx, func() {
		l.log.Info("finishing the judgements that are under way; the same signal again stops at once")
	})()
	if err := l.engine.Pin(ctx, l.judge.Prefix()); err != nil {
		return fmt.Errorf("computing the judge's preamble: %w", err)
	}
	i := 0
	return l.judge.Run(ctx, l.engine, l.size.Parallel(), func() (feedback.Pair, bool) {
		if i == len(l.todo) {
			return feedback.Pair{}, false
		}
		i++
		return l.todo[i-1], true
	}, l.save)
}

// save takes a finished label.
func (l *labelling) save(label feedback.Label) error {
	if label.Error != "" {
		l.log.Warn("a pair could not be judged", "pair", label.ID, "why", label.Error)
		l.failed[label.ID] = label.Error
	}
	l.shown.row(label.Error != "")
	if err := l.store.Append(l.pairs[l.place[label.ID]], label, len(l.pairs)); err != nil {
		return &exitError{exitStopped, err}
	}
	return nil
}

// readRun takes the pairs from a run.
func (l *labelling) readRun() error {
	o := &l.options
	manifest, rows, err := runstore.Read(o.run)
	if err != nil {
		return usage(err)
	}
	if err := warnOfUnfinished(l.log, o.run); err != nil {
		return err
	}
	if l.truth = truthOf(manifest); o.model == "" {
		o.ofRun(manifest, o.given)
		l.adapter = criticAdapter(manifest)
	}
	pairs, err := l.pairing(manifest)
	if err != nil {
		return usage(err)
	}
	for rec, err := range rows {
		if err != nil {
			return usage(err)
		}
		if rec.Error != "" || (o.limit > 0 && len(l.pairs) == o.limit) {
			continue
		}
		p, ok := pairs(rec)
		switch {
		case !ok:
			continue
		case p.First == p.Second:
			l.alike++
			continue
		}
		l.pairs = append(l.pairs, p)
	}
	if len(l.pairs) == 0 {
		return usage(fmt.Errorf("%s has no two answers that differ: %d pairs of the same one", o.run, l.alike))
	}
	return nil
}

// The values of --pairing.
const (
	pairNeighbours = "neighbours"
	pairFirst      = "first"
)

// pairing says how a run's rows become pairs: the samples of a prompt, or two rounds of a row.
func (l *labelling) pairing(m runstore.Manifest) (func(revise.Record) (feedback.Pair, bool), error) {
	o := l.options
	made, err := m.Results.Hash()
	if err != nil {
		return nil, err
	}
	if m.Results.Samples > 1 && o.rounds == nil {
		samples := revise.SamplePairs{AgainstFirst: o.pairing == pairFirst}
		l.source = digest.PairSource{Run: made, Samples: true, AgainstFirst: samples.AgainstFirst}
		return samples.Add, nil
	}
	if o.given.Changed("pairing") {
		return nil, fmt.Errorf("--pairing %s is of samples, and %s has one answer to each prompt: make it with --samples", o.pairing, o.run)
	}
	from, to := 0, m.Results.Revisions
	if o.rounds != nil {
		from, to = o.rounds[0], o.rounds[1]
	}
	if from == to {
		return nil, fmt.Errorf("%s has first responses only, and nothing to compare them with: give a run with --revisions or --samples, or pairs with --pairs", o.run)
	}
	if last := m.Results.Revisions; max(from, to) > last {
		return nil, fmt.Errorf("--rounds %d,%d: the rounds of %s are 0 to %d, 0 being the first response", from, to, o.run, last)
	}
	l.source = digest.PairSource{Run: made, From: from, To: to}
	return func(rec revise.Record) (feedback.Pair, bool) { return rec.Pair(from, to) }, nil
}

// edited counts the labels that an edited constitution turns around, of the pairs that have one by the settings before, too.
// Where nothing was labelled, or by the same constitution, there is nothing to compare.
func (l *labelling) edited() (turned, of int, err error) {
	old, before, err := l.store.Before()
	if err != nil || len(l.todo) == 0 || old.ConstitutionSHA256 == l.doc.Hash() {
		return 0, 0, err
	}
	for _, p := range l.pairs {
		now, ok := l.store.Label(p)
		then, was := before[p.ID]
		if !ok || !was || then.Pair != now.Pair || now.P == nil || then.P == nil {
			continue
		}
		of++
		if turnedAround(*then.P, *now.P) {
			turned++
		}
	}
	return turned, of, nil
}

// turnedAround reports whether two probabilities prefer another answer each. One that has no preference prefers none.
func turnedAround(then, now float64) bool { return (then-0.5)*(now-0.5) < 0 }

// settings are those that the summary shows.
func (l *labelling) settings() string {
	judge := l.file.Name
	if l.adapter.path != "" {
		judge += fmt.Sprintf(" with adapter %s at %v", filepath.Base(l.adapter.path), l.adapter.scale)
	}
	return fmt.Sprintf("%s, %d principles of %s a pair, %s, llama.cpp %s on %s", judge, l.options.draws, l.doc.Name, l.options.layout, llama.Version(), runner.Machine().CPU)
}
