package app

import (
	"errors"
	"fmt"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/constitution"
	"amend/engine/digest"
	"amend/engine/feedback"
	"amend/engine/oracle"
	"amend/engine/prompts"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/models/testbed"
)

// feedbackJob is labelling as data for a worker.
type feedbackJob struct {
	Config       FeedbackConfig // with the judge, and its way of writing conversations
	Adapter      runner.Adapter // on the judge
	Date         string
	Pairs        []feedback.Pair
	Source       digest.PairSource // which they are
	Constitution []byte            // as YAML
	Selections   [][]string        // principles that it is narrowed to, one after the other
	// Document is what is left of it, as YAML with the places that its fields are from: labels are found by this text.
	Document string
}

// labelling is what the parent knows of the pairs.
type labelling struct {
	job      feedbackJob
	document *constitution.Document
	bad      []prompts.BadRow
	alike    int // pairs left out, whose two answers are the same
	truth    feedback.Truth
}

// readLabelling reads pairs and constitution.
func (e Env) readLabelling(c FeedbackConfig) (l labelling, err error) {
	l.job.Config = c
	var manifest *runstore.Manifest
	if c.Run != "" {
		m, rows, err := runstore.Read(c.Run)
		if err != nil {
			return l, err
		}
		manifest = &m
		if err := e.warnOfUnfinished(c.Run); err != nil {
			return l, err
		}
		if err := l.readRun(m, rows); err != nil {
			return l, err
		}
	} else if err := l.readPairs(e); err != nil {
		return l, err
	}
	if l.job.Date, err = e.labelDate(c.dir(), manifest); err != nil {
		return l, err
	}
	return l, l.readConstitution(manifest)
}

// labelDate is the date that templates see: that of the labels that are there, else the run's, else today's.
func (e Env) labelDate(dir string, run *runstore.Manifest) (string, error) {
	set, err := runstore.ReadFeedback(dir)
	switch {
	case err == nil:
		return set.Settings.Date, nil
	case !errors.Is(err, runstore.ErrNotARun):
		return "", err
	case run != nil:
		return run.Created, nil
	}
	return e.today(), nil
}

// readPairs reads the pairs of a file.
func (l *labelling) readPairs(e Env) error {
	c := &l.job.Config
	if err := notOfARun(c.Out); err != nil {
		return err
	}
	if c.Judge == "" {
		return &NoModelError{"judge", Models()}
	}
	set, err := prompts.ReadPairs(c.Pairs, e.Stdin, prompts.Options{Limit: c.Limit, Map: mapping(c.Map)})
	if err != nil {
		return failure.Input(err)
	}
	e.sayHowRead(set.Report)
	if len(set.Pairs) == 0 {
		return failure.Inputf("none of the %d rows of %s is a pair; the first: %v", len(set.Bad), c.Pairs, set.Bad[0])
	}
	l.job.Pairs, l.bad, l.job.Source = set.Pairs, set.Bad, digest.PairSource{Pairs: pairsHash(set.SHA256, c.Map)}
	e.warnOfBadRows(l.bad)
	l.truth = known
	c.Compute = inherited(c.Compute)
	return nil
}

// known is the truth of pairs that say themselves which answer is better.
func known(in feedback.Pair, _ string) feedback.Preference { return in.Better }

// notOfARun refuses a run directory as the folder for labels of other pairs: readers would take them for labels of the
// run's answers.
func notOfARun(out string) error {
	_, _, err := runstore.Read(out)
	switch {
	case err == nil:
		return &failure.FieldError{Field: "out", Value: out, Want: fmt.Sprintf("is a run directory, which holds labels of its own answers only: give another folder, or label the run itself (amend feedback %s)", out)}
	case errors.Is(err, runstore.ErrNotARun):
		return nil
	}
	return err
}

// readRun takes the pairs from a run.
func (l *labelling) readRun(m runstore.Manifest, rows records) error {
	c := &l.job.Config
	l.truth = truthOf(m)
	if c.Judge == "" {
		last, err := StoredRun{Dir: c.Run, Manifest: m}.lastModel("judge")
		if err != nil {
			return err
		}
		c.Judge, c.Compute = last.Model, likeRun(c.Compute, last)
		if m.Results.Responses != "" { // else the adapter is for responses only
			l.job.Adapter = runner.ParseAdapter(last.LoRA)
		}
	}
	c.Compute = inherited(c.Compute)
	if err := c.Compute.Validate(); err != nil { // with the run's own
		return err
	}
	pairs, err := l.pairs(m)
	if err != nil {
		return err
	}
	for rec, err := range rows {
		if err != nil {
			return err
		}
		if c.Limit > 0 && len(l.job.Pairs) == c.Limit {
			break
		}
		if rec.Error != "" {
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
		l.job.Pairs = append(l.job.Pairs, p)
	}
	if len(l.job.Pairs) == 0 {
		return failure.Inputf("%s has no two answers that differ (%d pairs are the same answer twice)", c.Run, l.alike)
	}
	return nil
}

// likeRun takes a run's way of writing conversations where the settings leave it open.
func likeRun(c runner.ComputeConfig, run RunConfig) runner.ComputeConfig {
	if c.Chat == "" {
		c.Chat = run.Compute.Chat
	}
	if c.Template == "" && c.Chat != runner.ChatPlain {
		c.Template = run.Compute.Template
	}
	return c
}

// pairs says how a run's rows become pairs: the samples of a prompt, or two rounds of a row.
func (l *labelling) pairs(m runstore.Manifest) (func(revise.Record) (feedback.Pair, bool), error) {
	c := l.job.Config
	made, err := m.Results.Hash()
	if err != nil {
		return nil, err
	}
	if m.Results.Samples > 1 && len(c.Rounds) == 0 {
		samples := revise.SamplePairs{AgainstFirst: c.pairing() == PairFirst}
		l.job.Source = digest.PairSource{Run: made, Samples: true, AgainstFirst: samples.AgainstFirst}
		return samples.Add, nil
	}
	if c.Pairing != "" {
		return nil, &failure.FieldError{Field: "pairing", Value: string(c.Pairing), Want: fmt.Sprintf("is for samples, and %s has one answer to each prompt: make the run with samples", c.Run)}
	}
	from, to := 0, m.Results.Revisions
	if len(c.Rounds) > 0 {
		from, to = c.Rounds[0], c.Rounds[1]
	}
	if from == to {
		return nil, failure.Inputf("%s has first responses only and nothing to compare them with: pass a run with revisions or samples, or pairs of a file", c.Run)
	}
	if last := m.Results.Revisions; max(from, to) > last {
		return nil, &failure.FieldError{Field: "rounds", Want: fmt.Sprintf("%d,%d: the rounds of %s are 0 to %d, 0 being the first response", from, to, c.Run, last)}
	}
	l.job.Source = digest.PairSource{Run: made, From: from, To: to}
	return func(rec revise.Record) (feedback.Pair, bool) { return rec.Pair(from, to) }, nil
}

// readConstitution composes the layers that were given, or takes the run's.
func (l *labelling) readConstitution(run *runstore.Manifest) (err error) {
	c := l.job.Config
	var composed *constitution.Document
	if layers := c.Constitution; len(layers) == 0 && run != nil {
		composed, err = constitution.Load(constitutionFile(c.Run))
		l.job.Selections = append(l.job.Selections, run.Setup.Principles)
	} else {
		if len(layers) == 0 {
			layers = []string{DefaultConstitution(c.Judge)}
		}
		composed, err = constitution.Load(layers...)
	}
	if err != nil {
		return failure.Input(err)
	}
	l.job.Selections = append(l.job.Selections, c.Principles)
	if l.job.Constitution, err = composed.YAML(); err != nil {
		return fmt.Errorf("writing the constitution down: %w", err)
	}
	if l.document, err = selected(composed, l.job.Selections); err != nil {
		return err
	}
	if c.Layout == "" {
		l.job.Config.Layout = feedback.LayoutFor(l.document, c.Reasonings)
	}
	text, err := l.document.WithoutTests().YAML() // other tests make no other labels
	l.job.Document = string(text)
	return err
}

// selected narrows a constitution, one selection after the other.
func selected(doc *constitution.Document, selections [][]string) (*constitution.Document, error) {
	for _, names := range selections {
		var err error
		if doc, err = doc.Select(names); err != nil {
			return nil, failure.Input(err)
		}
	}
	return doc, nil
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

// truthOf returns what is known of a run's answers: nothing, except for the testbed's.
func truthOf(m runstore.Manifest) feedback.Truth {
	if !isTestbed(m) {
		return func(feedback.Pair, string) feedback.Preference { return feedback.Unknown }
	}
	world := testbed.New()
	return func(in feedback.Pair, principle string) feedback.Preference {
		return oracle.Preference(world, in, principle)
	}
}

// warnOfUnfinished warns of a run that lacks rows. A folder that is no run lacks none.
func (e Env) warnOfUnfinished(dir string) error {
	s, err := runstore.Look(dir)
	if errors.Is(err, runstore.ErrNotARun) {
		return nil
	}
	if err != nil {
		return err
	}
	e.warnUnfinished(dir, s)
	return s.Close()
}
