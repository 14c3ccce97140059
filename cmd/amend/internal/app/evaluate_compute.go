package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/worker"
	"amend/engine"
	"amend/engine/evalset"
	"amend/engine/runstore"
)

// evaluationJob is a model and a set as data for a worker.
type evaluationJob struct {
	Set       evalset.Set
	SetSHA256 string
	Items     []evalset.Item
	Date      string
	MaxTokens int
	Weights   runner.Weights
	Compute   runner.ComputeConfig
	Context   runner.ContextConfig
}

// evaluationComputation is the worker's part of an evaluation.
type evaluationComputation struct {
	job      evaluationJob
	parent   *worker.Client
	model    *runner.Model
	kind     runner.ContextPlan
	examiner evalset.Examiner
	engine   *engine.Engine
	progress *reporter
	todo     []evalset.Item
}

// computeEvaluation is the handler of evaluations.
func (e Env) computeEvaluation(ctx context.Context, job worker.Job, parent *worker.Client) (result []byte, err error) {
	c := &evaluationComputation{parent: parent, progress: newReporter(parent, "item")}
	if err := json.Unmarshal(job.Payload, &c.job); err != nil {
		return nil, fmt.Errorf("reading the job: %w", err)
	}
	if c.model, err = runner.Open(ctx, c.job.Weights, c.job.Compute, e.options(parent.Log(), c.job.Date)); err != nil {
		return nil, err
	}
	parent.AtEnd(c.model.Close)
	if err := c.open(); err != nil {
		return nil, err
	}
	if err := c.run(ctx, job.Limits); err != nil {
		return nil, err
	}
	out := evaluated{Model: c.model.Info().Name}
	if c.engine != nil {
		out.Stats = c.engine.Stats()
	}
	return json.Marshal(out)
}

// open prepares the examiner, has the parent open the results, and finds the items without one.
func (c *evaluationComputation) open() (err error) {
	c.examiner = evalset.Examiner{Set: c.job.Set, Format: c.model.Format(), Think: c.model.ThinkTags(), MaxTokens: c.job.MaxTokens}
	if c.job.Compute.Chat == runner.ChatPlain {
		c.examiner.Tokens = c.model.Vocab()
	}
	if c.kind, err = c.model.Kind(c.job.Context); err != nil {
		return err
	}
	ids, err := worker.Call[[]string](c.parent, methodOpen, c.settings())
	if err != nil {
		return err
	}
	done := map[string]bool{}
	for _, id := range ids {
		done[id] = true
	}
	for _, it := range c.job.Items {
		if !done[it.ID] {
			c.todo = append(c.todo, it)
		}
	}
	return nil
}

// settings are everything that results depend on.
func (c *evaluationComputation) settings() runstore.EvaluationSettings {
	adapter, sha := c.model.Adapter()
	s := runstore.EvaluationSettings{
		Set: string(c.job.Set), SetSHA256: c.job.SetSHA256, ModelSHA256: c.model.SHA256(), LoRASHA256: sha, LoRAScale: adapter.Scale,
		Chat: c.job.Compute.Chat, TemplateSHA256: c.model.TemplateSHA256(), KVType: c.kind.TypeK.String(), Deterministic: c.job.Compute.Deterministic,
		Date: c.job.Date,
	}
	if c.job.Set.Answers() {
		s.MaxTokens = c.job.MaxTokens
	}
	return s
}

// run puts the items that have no result to the model.
func (c *evaluationComputation) run(ctx context.Context, limits worker.Limits) error {
	before := len(c.job.Items) - len(c.todo)
	c.progress.count(len(c.job.Items), before)
	if len(c.todo) == 0 {
		c.progress.enter(Working)
		return nil
	}
	c.progress.enterCounted(Measuring, len(c.todo), "item")
	size, err := c.fit(ctx, limits)
	if err != nil {
		return err
	}
	if c.engine, err = c.model.NewEngine(size, "", func() { c.progress.step(c.engine) }); err != nil {
		return err
	}
	c.parent.Log().Info("measuring", "model", c.model.Info().Name, "set", c.job.Set, "items", len(c.todo), "done before", before,
		"alive at once", size.Parallel(), "tokens an item", size.Limit)
	c.progress.enter(Working)
	alone, rest := apart(c.todo, func(it evalset.Item) string { return it.ID }, limits.Alone)
	for _, it := range alone {
		if err := c.examine(ctx, []evalset.Item{it}, 1); err != nil {
			return err
		}
	}
	return c.examine(ctx, rest, size.Parallel())
}

// fit chooses the sizes of the context from what the items need and the memory there is.
func (c *evaluationComputation) fit(ctx context.Context, limits worker.Limits) (s runner.ContextPlan, err error) {
	d, err := c.model.Requirements(c.job.Context)
	if err != nil {
		return s, err
	}
	for i, it := range c.todo {
		need, err := c.examiner.Need(ctx, it)
		if ctx.Err() != nil {
			return s, ctx.Err()
		}
		if err == nil { // else the item fails by itself when it is begun
			d.Need = max(d.Need, need)
		}
		c.progress.part(i+1, len(c.todo))
		d.Rows += max(1, len(it.Options)) // options of an item are computed side by side
	}
	if most := limits.AtMost; most > 0 && (d.Parallel == 0 || d.Parallel > most) {
		d.Parallel = most
	}
	return c.model.Plan(d, c.kind)
}

// examine puts some items to the model, up to parallel at once.
func (c *evaluationComputation) examine(ctx context.Context, items []evalset.Item, parallel int) error {
	var lost error // the parent could not be told
	i := 0
	err := c.examiner.Run(ctx, c.engine, parallel, func() (evalset.Item, bool) {
		if i == len(items) || lost != nil {
			return evalset.Item{}, false
		}
		i++
		lost = c.parent.Begin(items[i-1].ID)
		return items[i-1], lost == nil
	}, c.save)
	return errors.Join(err, lost)
}

// save gives the parent a result.
func (c *evaluationComputation) save(r evalset.Result) error {
	if r.Error != "" {
		c.parent.Log().Warn("an item failed", "item", r.ID, "why", r.Error)
	}
	c.progress.unit(r.Error != "", 0)
	_, err := worker.CallEnding[worker.Nothing](c.parent, methodAppend, r, r.ID)
	return err
}
