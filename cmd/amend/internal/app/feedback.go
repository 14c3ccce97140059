package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/worker"
	"amend/engine/atomicfile"
	"amend/engine/feedback"
	"amend/engine/runstore"
	"amend/engine/selftest"
)

// FeedbackResult says how labelling went. Tokens and times are of this call; those of a worker that died are not known.
type FeedbackResult struct {
	Out        string  `json:"out"`
	Pairs      int     `json:"pairs"`
	Labelled   int     `json:"labelled"` // with a valid judgement in both orders under some principle
	Failed     int     `json:"failed"`   // that could not be judged, or read
	Judge      string  `json:"judge"`    // name
	Settings   string  `json:"settings"`
	DoneBefore int     `json:"done_before"`
	Asked      int     `json:"asked"` // judgements that this call computed
	Alike      int     `json:"alike"` // rows of a run whose two answers are the same
	Computed   int     `json:"prefill_tokens_computed"`
	Reused     int     `json:"prefill_tokens_reused"`
	Decoded    int     `json:"decode_tokens"`
	WallS      float64 `json:"wall_s"`
	// Turned counts the labels that prefer the other answer than under the constitution before. Compared counts the pairs
	// that are labelled under both. Both are 0 unless this call labelled by a changed constitution.
	Turned   int       `json:"turned"`
	Compared int       `json:"compared"`
	Failures []Failure `json:"failures"`
	// SelfTest is what the judge made of known cases, before it judged; nil where the constitution has none.
	SelfTest *selftest.Result `json:"self_test"`
	*feedback.Report
}

// Feedback has a judge say which of two answers is better, pair by pair, and keeps judgements and labels in a directory; it
// continues what is there. A *failure.RowsError comes with the result where pairs failed.
func Feedback(ctx context.Context, env Env, c FeedbackConfig) (FeedbackResult, error) {
	if err := c.Validate(); err != nil {
		return FeedbackResult{}, err
	}
	var drawn *failure.RowsError
	if len(c.Prompts) > 0 {
		if err := c.checkJudge(); err != nil {
			return FeedbackResult{}, err
		}
		if _, err := Run(ctx, env, c.drawing()); err != nil && !errors.As(err, &drawn) {
			return FeedbackResult{}, err
		}
		c.Run, c.Prompts, c.Map, c.Out, c.Limit = c.Out, nil, nil, "", 0 // the run has kept to the limit
	}
	r, err := env.label(ctx, c)
	if err == nil && drawn != nil {
		drawn.What = "answers failed, or their prompts could not be read"
		err = drawn
	}
	return r, err
}

// label labels the pairs of a run or of a file.
func (e Env) label(ctx context.Context, c FeedbackConfig) (r FeedbackResult, err error) {
	l, err := e.readLabelling(c)
	if err != nil {
		return r, err
	}
	return e.labelPairs(ctx, l)
}

// labelPairs labels pairs that were read.
func (e Env) labelPairs(ctx context.Context, l labelling) (r FeedbackResult, err error) {
	begun, c := e.Now(), l.job.Config
	h := &feedbackHost{env: e, labelling: l, config: c, place: map[string]int{}, unjudged: map[string]string{}}
	for i, p := range l.job.Pairs {
		h.place[p.ID] = i
	}
	defer func() { err = errors.Join(err, h.close()) }()
	out, err := worker.Do[judged](ctx, e.spawner(), jobFeedback, l.job, h.host())
	if err != nil {
		return r, decodeFailure(ctx, err)
	}
	if r, err = h.summarize(out); err != nil {
		return r, err
	}
	r.WallS = e.Now().Sub(begun).Seconds()
	if r.Failed > 0 {
		err = &failure.RowsError{Failed: r.Failed, Of: r.Pairs + len(l.bad), What: "pairs could not be judged or read", Detail: "the first: " + r.Failures[0].Why}
	}
	return r, err
}

// feedbackHost is the parent's side of labelling: it alone writes labels.
type feedbackHost struct {
	env Env
	labelling
	config   FeedbackConfig
	place    map[string]int // of pairs, by id
	store    *runstore.Feedback
	before   int               // pairs that had a label
	unjudged map[string]string // why a pair could not be judged in this call, by id
}

func (h *feedbackHost) host() worker.Host {
	return worker.Host{
		Unit: "pair", Log: h.env.Log, Notify: h.env.notify, PutAside: h.putAside,
		Methods: newKeptResults(h.env.Log).methods(worker.Methods{
			methodOpen:   worker.NewMethod(h.open),
			methodGet:    worker.NewMethod(h.get),
			methodPut:    worker.NewMethod(h.put),
			methodAppend: worker.NewMethod(h.append),
		}),
	}
}

// open opens the labels for the first worker, and tells each which pairs are done.
func (h *feedbackHost) open(settings []byte) (done []string, err error) {
	first := h.store == nil
	if first {
		var s runstore.FeedbackSettings
		if err := json.Unmarshal(settings, &s); err != nil {
			return nil, fmt.Errorf("reading the worker's settings: %w", err)
		}
		if h.store, err = runstore.OpenFeedback(h.config.dir(), s); err != nil {
			h.store = nil
			return nil, err
		}
		if err := h.keepSettings(); err != nil {
			return nil, err
		}
	}
	for _, p := range h.job.Pairs {
		_, labelled := h.store.Label(p)
		_, tried := h.unjudged[p.ID]
		if labelled || tried {
			done = append(done, p.ID)
		}
	}
	if first {
		h.before = len(done)
	}
	return done, nil
}

func (h *feedbackHost) get(key feedback.Key) (storedAnswer, error) {
	a, ok, err := h.store.Get(key)
	return storedAnswer{Key: key, Answer: a, OK: ok}, err
}

// put keeps an answer. One that cannot be kept stops the work, which can be continued.
func (h *feedbackHost) put(s storedAnswer) (n worker.Nothing, err error) {
	return n, failure.Stopped(h.store.Put(s.Key, s.Answer))
}

func (h *feedbackHost) append(label []byte) (n worker.Nothing, err error) {
	var l feedback.Label
	if err := json.Unmarshal(label, &l); err != nil {
		return n, fmt.Errorf("reading the worker's label: %w", err)
	}
	return n, h.keep(l)
}

func (h *feedbackHost) keep(l feedback.Label) error {
	i, ok := h.place[l.ID]
	if !ok {
		return fmt.Errorf("a label of pair %s, which is not one of these", l.ID)
	}
	if l.Error != "" {
		h.unjudged[l.ID] = l.Error
	}
	return failure.Stopped(h.store.Append(h.job.Pairs[i], l, len(h.job.Pairs)))
}

// keepSettings keeps the settings beside the labels.
func (h *feedbackHost) keepSettings() error {
	kept := h.config
	kept.Out, kept.Constitution, kept.Prompts, kept.Pairs = "", slices.Clone(kept.Constitution), slices.Clone(kept.Prompts), slices.Clone(kept.Pairs)
	text, err := settingsText(h.config.dir(), &kept)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(h.config.dir(), FeedbackSettingsFile), text)
}

// putAside records a pair that kills workers.
func (h *feedbackHost) putAside(id, why string) error {
	i, ok := h.place[id]
	if !ok {
		return fmt.Errorf("a worker died of pair %s, which is not one of these", id)
	}
	p := h.job.Pairs[i]
	return h.keep(feedback.Label{ID: p.ID, Index: p.Index, Pair: p.Hash(), Error: why, Judgements: []feedback.Judgement{}})
}

func (h *feedbackHost) close() error {
	if h.store == nil {
		return nil
	}
	return h.store.Close()
}

// summarize says how the labelling went, and on request what the labels are worth.
func (h *feedbackHost) summarize(out judged) (r FeedbackResult, err error) {
	r = FeedbackResult{
		Out: h.config.dir(), Pairs: len(h.job.Pairs), Judge: out.Judge, Settings: h.settings(out), DoneBefore: h.before, Asked: h.store.Remembered(), Alike: h.alike,
		Computed: out.Stats.Prefilled, Reused: out.Stats.Reused, Decoded: out.Stats.Decoded, Failures: []Failure{}, SelfTest: out.SelfTest,
	}
	for _, bad := range h.bad {
		r.Failures = append(r.Failures, Failure{Row: bad.File, Line: bad.Line, Why: bad.Reason})
	}
	labels, valid, judgements := h.labels(&r)
	r.Failed = len(r.Failures)
	if valid*2 < judgements {
		h.env.Log.Warn("this judge mostly answers something other than (A) or (B): use another judge, add worked judgements to the constitution, or lower min-mass",
			"valid judgements", valid, "of", judgements)
	}
	if r.Turned, r.Compared, err = h.turned(); err != nil {
		return r, err
	}
	if h.config.Report {
		report := feedback.NewReport(h.job.Pairs, labels, h.truth)
		r.Report = &report
	}
	return r, nil
}

// labels are those of the pairs, counted into r.
func (h *feedbackHost) labels(r *FeedbackResult) (labels []feedback.Label, valid, judgements int) {
	for _, p := range h.job.Pairs {
		label, ok := h.store.Label(p)
		if !ok {
			r.Failures = append(r.Failures, Failure{Row: p.ID, Why: h.unjudged[p.ID]})
			continue
		}
		labels = append(labels, label)
		if label.P != nil {
			r.Labelled++
		}
		for _, j := range label.Judgements {
			judgements++
			if !j.Invalid {
				valid++
			}
		}
	}
	return labels, valid, judgements
}

// settings are those that the summary shows.
func (h *feedbackHost) settings(out judged) string {
	judge := out.Judge
	if a := h.job.Adapter; a.Path != "" {
		judge += fmt.Sprintf(" with adapter %s at %v", filepath.Base(a.Path), a.Scale)
	}
	return fmt.Sprintf("%s, principles a pair: %d, of %s, %s, llama.cpp %s on %s", judge, out.Draws, h.document.Name, h.config.Layout, runner.LlamaVersion(), runner.Machine().CPU)
}

// turned counts the labels that an edited constitution turns around, of the pairs that have one by the settings before, too.
// Where nothing was labelled, or by the same constitution, there is nothing to compare.
func (h *feedbackHost) turned() (turned, of int, err error) {
	old, before, err := h.store.Before()
	if err != nil || h.before == len(h.job.Pairs) || old.ConstitutionSHA256 == h.document.Hash() {
		return 0, 0, err
	}
	for _, p := range h.job.Pairs {
		now, ok := h.store.Label(p)
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

// turnedAround reports whether two probabilities prefer another answer each. Even odds prefer none.
func turnedAround(then, now float64) bool { return (then-0.5)*(now-0.5) < 0 }
