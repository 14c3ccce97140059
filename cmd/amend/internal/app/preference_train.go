package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/atomicfile"
	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/prompts"
	"amend/engine/refusal"
	"amend/engine/reward"
	"amend/engine/runstore"
	"amend/engine/split"
	"amend/models/testbed"
)

// TrainPreferenceConfig are the settings of training a preference model on labels.
type TrainPreferenceConfig struct {
	Dir    string      `yaml:"dir,omitempty"` // of the labels; empty where Pairs have all of them
	Pairs  []string    `yaml:"pairs"`         // preference sets, whose known preferences are labels: files, folders and patterns
	Map    []string    `yaml:"map"`           // columns of Pairs and TestOn (prompts.Mapping)
	Labels LabelSource `yaml:"labels"`
	Model  string      `yaml:"model"`   // whose hidden states are read; empty: the run's own, or the judge where that is the testbed
	Out    string      `yaml:"out"`     // the file of the preference model
	Test   float64     `yaml:"test"`    // share of prompts that is held out
	TestOn string      `yaml:"test-on"` // a directory with labels of other prompts, or a preference set of them (a file or a pattern), to compare on in place of those
	// Compute.Chat is empty to write conversations as the run does.
	Compute runner.ComputeConfig `yaml:",inline"`
}

// LabelSource says whose labels a preference model learns.
type LabelSource string

// The sources of labels.
const (
	LabelsJudge LabelSource = "judge" // the judge's of Dir
	LabelsKnown LabelSource = "known" // what is known of the pairs of Dir, and of Pairs
	LabelsMixed LabelSource = "mixed" // the judge's of Dir, and what is known of Pairs (Bai et al. 2022: AI harmlessness, human helpfulness)
)

// LabelSources lists the sources, the default first.
func LabelSources() []LabelSource { return []LabelSource{LabelsJudge, LabelsKnown, LabelsMixed} }

// DefaultTrainPreferenceConfig returns the default settings of training.
func DefaultTrainPreferenceConfig() TrainPreferenceConfig {
	c := TrainPreferenceConfig{Labels: LabelsJudge, Test: 0.2, Compute: runner.DefaultCompute()}
	c.Compute.Chat = ""
	return c
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError, joined.
func (c TrainPreferenceConfig) Validate() error {
	var errs []error
	if c.Out == "" {
		errs = append(errs, failure.Missing("out", "the file of the preference model"))
	}
	errs = append(errs, failure.OneOf("labels", c.Labels, LabelSources()...), c.validateSource(), validateMap(c.Map))
	if !(c.Test > 0 && c.Test < 1) {
		errs = append(errs, &failure.FieldError{Field: "test", Value: c.Test, Want: "must be above 0 and below 1"})
	}
	return errors.Join(append(errs, inherited(c.Compute).Validate())...)
}

// validateSource checks that there are labels of the source that is given.
func (c TrainPreferenceConfig) validateSource() error {
	switch {
	case c.Labels == LabelsJudge && len(c.Pairs) > 0:
		return &failure.FieldError{Field: "pairs", Want: "has no labels of a judge: give labels known, or mixed with a directory of labels too"}
	case c.Labels == LabelsMixed && (c.Dir == "" || len(c.Pairs) == 0):
		return &failure.FieldError{Field: "labels", Value: c.Labels, Want: "needs a directory with a judge's labels and pairs with known preferences"}
	case c.Dir == "" && len(c.Pairs) == 0:
		return failure.Inputf("nothing to learn from: give a directory with labels (amend feedback makes them), or pairs with known preferences")
	case c.Dir == "" && c.Model == "":
		return failure.Missing("model", "the model whose hidden states are read")
	}
	return nil
}

// source names what is learnt from, in errors.
func (c TrainPreferenceConfig) source() string {
	return strings.Join(slices.DeleteFunc(append([]string{c.Dir}, c.Pairs...), func(s string) bool { return s == "" }), ", ")
}

// states is the directory that keeps the hidden states of Pairs, beside the preference model.
func (c TrainPreferenceConfig) states() string { return c.Out + ".states" }

// PreferenceReport says how a preference model was trained, and how good it is.
type PreferenceReport struct {
	Out       string         `json:"out"`
	Pairs     int            `json:"pairs"` // labelled, that were trained on
	Held      int            `json:"held_out"`
	Unusable  int            `json:"unusable"` // without a label, with an empty answer, or that cannot be read
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

// labelSet are a directory's newest labels, with what is known of their pairs.
type labelSet struct {
	dir    string
	set    runstore.FeedbackSet
	file   string             // of a preference set; empty where the labels are a directory's
	known  bool               // what is known of the pairs is the label, not what a judge says
	run    *runstore.Manifest // nil: the directory is no run
	truth  feedback.Truth
	usable []feedback.Labelled
	judge  []*float64    // of usable, what a judge says; nil where none was asked
	pairs  []reward.Pair // of usable, with their hidden states
	cases  []reward.Case
}

// TrainPreference trains a preference model on the labels of a directory, and compares it on prompts that were held out.
func TrainPreference(ctx context.Context, env Env, c TrainPreferenceConfig) (r PreferenceReport, err error) {
	if err := c.Validate(); err != nil {
		return r, err
	}
	if err := writable(c.Out); err != nil { // before hours of work
		return r, err
	}
	taught, err := env.taught(c)
	if err != nil {
		return r, err
	}
	sets := taught
	if c.TestOn != "" {
		other, err := env.others(c)
		if err != nil {
			return r, err
		}
		sets = append(sets, other)
	}
	job, err := c.job(taught[0], env.today())
	if err != nil {
		return r, err
	}
	r.Out = c.Out
	for _, s := range sets {
		if err := s.use(&job, &r); err != nil {
			return r, err
		}
	}
	begun := env.Now()
	h, done, err := env.readStates(ctx, job)
	if err != nil {
		return r, err
	}
	r.States, r.Computed, r.Reused, r.ExtractS = done.States, done.Computed, done.Reused, env.Now().Sub(begun).Seconds()
	for id, why := range h.crashed {
		env.Log.Warn("an answer cannot be read, its pair is left out", "answer", id, "why", why)
	}
	for _, s := range sets {
		s.take(h, &r)
	}
	return r, env.train(ctx, c, joined(sets, len(taught)), job.Date, &r)
}

// taught are the labels that are learnt.
func (e Env) taught(c TrainPreferenceConfig) (sets []*labelSet, err error) {
	if c.Dir != "" {
		s, err := e.readLabels(c.Dir)
		if err != nil {
			return nil, err
		}
		s.known = c.Labels == LabelsKnown
		sets = append(sets, s)
	}
	for _, file := range c.Pairs {
		s, err := e.readKnown(file, c)
		if err != nil {
			return nil, err
		}
		sets = append(sets, s)
	}
	return sets, nil
}

// others are the pairs that the model is compared on: those of a preference set, or a directory's labels.
func (e Env) others(c TrainPreferenceConfig) (*labelSet, error) {
	if info, err := os.Stat(c.TestOn); err == nil && !info.IsDir() || err != nil && strings.ContainsAny(c.TestOn, "*?[") {
		return e.readKnown(c.TestOn, c)
	}
	s, err := e.readLabels(c.TestOn)
	if err == nil {
		s.known = c.Labels == LabelsKnown
	}
	return s, err
}

// joined makes the first n sets one.
func joined(sets []*labelSet, n int) []*labelSet {
	whole := &labelSet{}
	for _, s := range sets[:n] {
		whole.pairs, whole.cases = append(whole.pairs, s.pairs...), append(whole.cases, s.cases...)
	}
	return append([]*labelSet{whole}, sets[n:]...)
}

// readKnown reads the pairs of a preference set, of which it is known which response is better.
func (e Env) readKnown(file string, c TrainPreferenceConfig) (*labelSet, error) {
	set, err := prompts.ReadPairs(prompts.Paths{file}, e.Stdin, prompts.Options{Map: mapping(c.Map)})
	if err != nil {
		return nil, failure.Input(err)
	}
	e.sayHowRead(set.Report)
	e.warnOfBadRows(set.Bad)
	out := &labelSet{dir: c.states(), file: file, known: true, truth: known}
	out.set.Labels = func(yield func(feedback.Labelled, error) bool) {
		for _, p := range set.Pairs {
			if !yield(feedback.Labelled{Pair: p}, nil) {
				return
			}
		}
	}
	return out, nil
}

// readLabels reads the newest labels of a directory.
func (e Env) readLabels(dir string) (*labelSet, error) {
	set, err := runstore.ReadFeedback(dir)
	if err != nil {
		return nil, failure.Input(err)
	}
	if set.Done < set.Asked {
		e.Log.Warn("some labels are missing: the amend feedback command that makes them has not finished", "dir", dir, "pairs", set.Done, "of", set.Asked)
	}
	if err := e.warnOfUnfinished(dir); err != nil {
		return nil, err
	}
	out := &labelSet{dir: dir, set: set, truth: known}
	switch m, _, err := runstore.Read(dir); {
	case err == nil:
		out.run, out.truth = &m, truthOf(m)
	case !errors.Is(err, runstore.ErrNotARun):
		return nil, err
	}
	return out, nil
}

// job says which model reads the states: the one that is given, or the one that the labels' run has. today is the date that
// templates see where labels have none.
func (c TrainPreferenceConfig) job(l *labelSet, today string) (statesJob, error) {
	job := statesJob{Model: c.Model, Compute: c.Compute, Date: cmp.Or(l.set.Settings.Date, today)}
	if c.Model == "" {
		switch judge := l.set.Settings.ModelSHA256; {
		case l.run != nil:
			last, err := StoredRun{Dir: l.dir, Manifest: *l.run}.lastModel("model")
			if err != nil {
				return job, err
			}
			job.Model, job.Compute = last.Model, likeRun(c.Compute, last)
		case judge == testbed.SHA256():
			job.Model = testbed.Name
		default:
			return job, failure.Missing("model", fmt.Sprintf("%s does not record the path of the judge (amend feedback --judge), only its sha256, %s", l.dir, judge))
		}
	}
	job.Compute = inherited(job.Compute)
	return job, nil
}

// use puts the pairs that can be trained on into the job.
func (l *labelSet) use(job *statesJob, r *PreferenceReport) error {
	for labelled, err := range l.set.Labels {
		if err != nil {
			return err
		}
		p := labelled.Pair
		judge := labelled.Label.P
		if l.known {
			labelled.Label.P = certain(l.truth(p, ""))
		}
		if labelled.Label.P == nil || strings.TrimSpace(p.First) == "" || strings.TrimSpace(p.Second) == "" {
			r.Unusable++
			continue
		}
		first, second := l.ids(p)
		l.usable, l.judge = append(l.usable, labelled), append(l.judge, judge)
		job.Responses = append(job.Responses,
			response{ID: first, Messages: p.Messages, Text: p.First, Dir: l.dir}, response{ID: second, Messages: p.Messages, Text: p.Second, Dir: l.dir})
	}
	return nil
}

// certain is what is known as a probability of the first response; nil where nothing is.
func certain(better feedback.Preference) *float64 {
	switch better {
	case feedback.First:
		return new(float64(1))
	case feedback.Second:
		return new(float64(0))
	case feedback.Unknown, feedback.Tie:
	}
	return nil
}

// ids name a pair's responses in the job.
func (l *labelSet) ids(p feedback.Pair) (first, second string) {
	of := cmp.Or(l.file, l.dir) + " " + p.ID
	return of + " A", of + " B"
}

// take takes the hidden states of all pairs. Those that could not be read are unusable.
func (l *labelSet) take(h *statesHost, r *PreferenceReport) {
	for i, one := range l.usable {
		first, second := l.ids(one.Pair)
		a, okA := h.read[first]
		b, okB := h.read[second]
		if !okA || !okB {
			r.Unusable++
			continue
		}
		pair := reward.Pair{
			Prompt: feedback.PromptHash(one.Pair.Messages), Place: split.Of(chat.Texts(one.Pair.Messages)),
			P: *one.Label.P, First: a.Features, Second: b.Features,
		}
		c := reward.Case{Prompt: pair.Prompt, First: one.Pair.First, Second: one.Pair.Second, Label: pair.P, Judge: l.judge[i]}
		if better := l.truth(one.Pair, ""); better == feedback.First || better == feedback.Second {
			first := better == feedback.First
			c.Truth = &first
		}
		l.pairs, l.cases = append(l.pairs, pair), append(l.cases, c)
	}
}

// train fits the model, marks it on the prompts that are held out, and writes it.
func (e Env) train(ctx context.Context, c TrainPreferenceConfig, sets []*labelSet, date string, r *PreferenceReport) error {
	begun := e.Now()
	used, heldPairs, taught, held := e.split(c, sets)
	if err := reward.Check(used); err != nil {
		return failure.Inputf("%s: %w", c.source(), err)
	}
	if len(held) == 0 {
		e.Log.Warn("no prompt is held out, so the model cannot be evaluated: label more pairs, raise test, or give test-on")
	}
	m, trials, err := reward.Train(ctx, used, r.States)
	if err != nil {
		return stoppedBy(ctx, fmt.Errorf("training on %s: %w", c.source(), err))
	}
	m.Date = date
	for i, pair := range heldPairs {
		if held[i].Predicted, err = m.Compare(pair); err != nil {
			return err
		}
	}
	if err := markRefusals(taught, held); err != nil {
		return err
	}
	length, declining := reward.Signs(taught)
	r.Pairs, r.Held, r.Pooling, r.L2, r.Trials, r.Dimension = len(used), len(held), m.Pooling, m.L2, trials, len(m.Weights)
	r.Marks, r.TrainS = reward.Marks(held, length, declining), e.Now().Sub(begun).Seconds()
	text, err := m.Encode()
	if err != nil {
		return err
	}
	return failure.Input(atomicfile.WriteFile(c.Out, text))
}

// markRefusals says of all responses whether they decline.
func markRefusals(sets ...[]reward.Case) error {
	detector, err := refusal.Load()
	if err != nil {
		return err
	}
	for _, cases := range sets {
		for i := range cases {
			c := &cases[i]
			c.FirstRefuses, c.SecondRefuses = detector.Refuses(c.First), detector.Refuses(c.Second)
		}
	}
	return nil
}

// split says what is trained on and what the model is marked on: a share of the prompts of the first labels, or those of
// the second that the first have not.
func (e Env) split(c TrainPreferenceConfig, sets []*labelSet) (used, held []reward.Pair, taught, known []reward.Case) {
	taken := map[string]bool{}
	for i, pair := range sets[0].pairs {
		if len(sets) == 1 && pair.Place.HeldOut(c.Test) {
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
			e.Log.Info("pairs of prompts that were trained on are left out", "on", cmp.Or(s.file, s.dir), "pairs", left)
		}
	}
	return used, held, taught, known
}

// writable reports what keeps a file from being written.
func writable(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return &failure.FieldError{Field: "out", Value: path, Want: "is a folder: it must be a file"}
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	var why *fs.PathError
	if errors.As(err, &why) { // whose path is a name that nobody gave
		return &failure.FieldError{Field: "out", Value: path, Want: fmt.Sprintf("its folder cannot be written to: %v", why.Err)}
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
