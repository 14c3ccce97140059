package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/worker"
	"amend/constitution"
	"amend/engine"
	"amend/engine/feedback"
	"amend/engine/runstore"
	"amend/engine/selftest"
)

// feedbackComputation is the worker's part of labelling: judge, context, and the parent's store.
type feedbackComputation struct {
	job      feedbackJob
	env      Env
	parent   *worker.Client
	progress *reporter

	document *constitution.Document
	model    *runner.Model
	judge    *feedback.Judge
	draws    int
	kind     runner.ContextPlan // how the context computes
	size     runner.ContextPlan
	engine   *engine.Engine
	todo     []feedback.Pair // without a label
	tested   *selftest.Result
}

// judged is what a worker says of its own work on labels.
type judged struct {
	Judge string       // the model's name
	Draws int          // principles of a pair
	Stats engine.Stats // of the engine; none where nothing was left to do
	// SelfTest is what the judge made of known cases; nil where there are none.
	SelfTest *selftest.Result
}

// computeFeedback is the handler of labelling.
func (e Env) computeFeedback(ctx context.Context, job worker.Job, parent *worker.Client) (result []byte, err error) {
	c := &feedbackComputation{env: e, parent: parent, progress: newReporter(parent, "pair")}
	if err := json.Unmarshal(job.Payload, &c.job); err != nil {
		return nil, fmt.Errorf("reading the job: %w", err)
	}
	for _, step := range []func(context.Context) error{c.openJudge, c.testJudge, c.openLabels} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if err := c.run(ctx, job.Limits); err != nil {
		return nil, err
	}
	out := judged{Judge: c.model.Info().Name, Draws: c.draws, SelfTest: c.tested}
	if c.engine != nil {
		out.Stats = c.engine.Stats()
	}
	return json.Marshal(out)
}

func (c *feedbackComputation) openJudge(ctx context.Context) (err error) {
	f := c.job.Config
	composed, err := constitution.Parse(runstore.ConstitutionFile, c.job.Constitution)
	if err != nil {
		return err
	}
	if c.document, err = selected(composed, c.job.Selections); err != nil {
		return err
	}
	if c.model, err = runner.Open(ctx, runner.Weights{Model: f.Judge, Adapter: c.job.Adapter}, f.Compute, c.env.options(c.parent.Log(), c.job.Date)); err != nil {
		return err
	}
	c.parent.AtEnd(c.model.Close)
	c.draws = min(f.Draws, drawable(c.document)) // asking for more than there are gives the same labels
	c.judge, err = feedback.New(ctx, c.model.Format(), c.document, c.judging())
	return failure.Input(err)
}

// judging is how the judge is asked.
func (c *feedbackComputation) judging() feedback.Settings {
	f := c.job.Config
	return feedback.Settings{
		Layout: f.Layout, Principles: c.draws, Seed: f.Seed, MinMass: f.MinMass,
		Reasonings: f.Reasonings, Clamp: [2]float64(f.Clamp), MaxTokens: f.MaxTokens, Sampling: f.sampling(),
	}
}

// testJudge has the judge answer known cases, before anything is written.
func (c *feedbackComputation) testJudge(ctx context.Context) (err error) {
	c.progress.enter(Testing)
	if c.kind, err = c.model.Kind(c.job.Config.Context); err != nil {
		return err
	}
	c.tested, err = examination{
		model: c.model, kind: c.kind, context: c.job.Config.Context, judge: c.judge, document: c.document, settings: c.judging(),
		untested: c.job.Config.Untested, parent: c.parent,
	}.test(ctx)
	return err
}

// openLabels has the parent open the labels, and finds the pairs that have none.
func (c *feedbackComputation) openLabels(context.Context) (err error) {
	text, err := json.Marshal(c.settings())
	if err != nil {
		return fmt.Errorf("writing the settings down: %w", err)
	}
	labelled, err := worker.Call[[]string](c.parent, methodOpen, text)
	if err != nil {
		return err
	}
	done := map[string]bool{}
	for _, id := range labelled {
		done[id] = true
	}
	for _, p := range c.job.Pairs {
		if !done[p.ID] {
			c.todo = append(c.todo, p)
		}
	}
	c.judge.Use(answers{c.parent}, c.model.Environment(c.kind))
	return nil
}

// settings are everything that the labels depend on.
func (c *feedbackComputation) settings() runstore.FeedbackSettings {
	adapter, adapterSHA := c.model.Adapter()
	s := c.job.Config.settings(contents{
		Model: c.model.SHA256(), Adapter: adapterSHA, AdapterScale: adapter.Scale,
		Template: c.model.TemplateSHA256(), Constitution: c.document.Hash(), KeyType: c.kind.TypeK.String(),
	})
	s.Source, s.Date, s.Principles = c.job.Source, c.job.Date, c.draws
	s.Constitution, s.ConstitutionText = c.document.Name, c.job.Document
	return s
}

// settings are what labels depend on, except the pairs, the constitution's text and the date.
func (f FeedbackConfig) settings(c contents) runstore.FeedbackSettings {
	s := runstore.FeedbackSettings{
		ModelSHA256: c.Model, LoRASHA256: c.Adapter, LoRAScale: c.AdapterScale, TemplateSHA256: c.Template, Chat: f.Compute.Chat,
		KVType: c.KeyType, Deterministic: f.Compute.Deterministic, ConstitutionSHA256: c.Constitution,
		Principles: f.Draws, Layout: string(f.Layout), Seed: f.Seed, MinMass: f.MinMass,
	}
	if f.Reasonings > 0 {
		s.Reasonings, s.Clamp, s.MaxTokens = f.Reasonings, [2]float64(f.Clamp), f.MaxTokens
		s.Temperature, s.TopK, s.TopP, s.MinP = f.Temperature, f.TopK, f.TopP, f.MinP
	}
	return s
}

// fit chooses the sizes of the context from what the pairs need and the memory there is.
func (c *feedbackComputation) fit(ctx context.Context, limits worker.Limits) error {
	d, err := c.model.Requirements(c.job.Config.Context)
	if err != nil {
		return err
	}
	d.Rows, d.Preamble = 2*len(c.todo), len(c.judge.Prefix())
	for i, p := range c.todo {
		need, err := c.judge.Need(ctx, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil { // else the pair fails by itself when it is begun
			d.Need, d.Unshared = max(d.Need, need.Tokens), max(d.Unshared, need.Unshared)
		}
		c.progress.part(i+1, len(c.todo))
	}
	d.Need = max(d.Need, d.Preamble+1)                                                   // which is computed also where none of these pairs begins with it
	if most := 2*limits.AtMost - 1; most > 0 && (d.Parallel == 0 || d.Parallel > most) { // for n judgements at once (n+1)/2 pairs are begun
		d.Parallel = most
	}
	if d.AttachFrom, err = c.model.AttachFrom(c.kind); err != nil {
		return err
	}
	if c.size, err = c.model.Plan(d, c.kind); err != nil {
		return err
	}
	if c.size.Limit <= d.Preamble {
		return failure.Inputf("a context of %d tokens is too small: the worked judgements of %s take %d; raise ctx, or use a model with a longer context", c.size.Limit, c.document.Name, d.Preamble)
	}
	return nil
}

// run judges the pairs that have no label yet.
func (c *feedbackComputation) run(ctx context.Context, limits worker.Limits) (err error) {
	before := len(c.job.Pairs) - len(c.todo)
	c.progress.count(len(c.job.Pairs), before)
	if len(c.todo) == 0 {
		c.progress.enter(Working)
		return nil
	}
	c.progress.enterCounted(Measuring, len(c.todo), "pair")
	if err := c.fit(ctx, limits); err != nil {
		return err
	}
	if c.engine, err = c.model.NewEngine(c.size, c.job.Config.Context.PreambleCache, func() { c.progress.step(c.engine) }); err != nil {
		return err
	}
	log := c.parent.Log()
	log.Info("judging", "model", c.model.Info().Name, "pairs", len(c.todo), "done before", before, "constitution", c.document.Name,
		"alive at once", c.size.Parallel(), "tokens a judgement", c.size.Limit, "preamble", len(c.judge.Prefix()))
	defer context.AfterFunc(ctx, func() {
		log.Info("finishing the judgements in progress; another Ctrl-C stops at once")
	})()
	c.progress.pin(c.engine, len(c.judge.Prefix()))
	if err := c.engine.Pin(ctx, c.judge.Prefix()); err != nil {
		return fmt.Errorf("computing the judge's preamble: %w", err)
	}
	c.progress.enter(Working)
	alone, rest := apart(c.todo, func(p feedback.Pair) string { return p.ID }, limits.Alone)
	if err := c.judgePairs(ctx, alone, 1); err != nil {
		return err
	}
	return c.judgePairs(ctx, rest, c.size.Parallel())
}

// judgePairs judges some pairs, with up to parallel judgements at once. With one, a pair is done before the next begins.
func (c *feedbackComputation) judgePairs(ctx context.Context, pairs []feedback.Pair, parallel int) error {
	if len(pairs) == 0 {
		return nil
	}
	if parallel == 1 {
		for _, p := range pairs {
			if err := c.judgeSome(ctx, []feedback.Pair{p}, 1); err != nil {
				return err
			}
		}
		return nil
	}
	return c.judgeSome(ctx, pairs, parallel)
}

func (c *feedbackComputation) judgeSome(ctx context.Context, pairs []feedback.Pair, parallel int) error {
	var lost error // the parent could not be told
	i := 0
	err := c.judge.Run(ctx, c.engine, parallel, func() (feedback.Pair, bool) {
		if i == len(pairs) || lost != nil {
			return feedback.Pair{}, false
		}
		i++
		lost = c.parent.Begin(pairs[i-1].ID)
		return pairs[i-1], lost == nil
	}, c.save)
	return errors.Join(err, lost)
}

// save takes a finished label.
func (c *feedbackComputation) save(label feedback.Label) error {
	if label.Error != "" {
		c.parent.Log().Warn("a pair could not be judged", "pair", label.ID, "why", label.Error)
	}
	c.progress.unit(label.Error != "", 0)
	text, err := json.Marshal(label)
	if err != nil {
		return fmt.Errorf("writing the label of pair %s down: %w", label.ID, err)
	}
	_, err = worker.CallEnding[worker.Nothing](c.parent, methodAppend, text, label.ID)
	return err
}

// answers are the judge's memory: the parent keeps them.
type answers struct{ parent *worker.Client }

// storedAnswer is an answer under its key, as it travels.
type storedAnswer struct {
	Key    feedback.Key
	Answer feedback.Answer
	OK     bool // it is there
}

// Get returns an answer.
func (a answers) Get(key feedback.Key) (feedback.Answer, bool, error) {
	s, err := worker.Call[storedAnswer](a.parent, methodGet, key)
	return s.Answer, s.OK, err
}

// Put keeps an answer.
func (a answers) Put(key feedback.Key, answer feedback.Answer) error {
	_, err := worker.Call[worker.Nothing](a.parent, methodPut, storedAnswer{Key: key, Answer: answer, OK: true})
	return err
}
