package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/worker"
	"amend/engine"
	"amend/engine/atomicfile"
	"amend/engine/evalset"
	"amend/engine/plainjson"
	"amend/engine/prompts"
	"amend/engine/refusal"
	"amend/engine/runstore"
)

// The files of an evaluation's directory, beside its database.
const (
	EvaluationItems  = "items.jsonl"  // the items with their results
	EvaluationReport = "results.json" // the figures
)

// EvaluateResult says how a model does on a set. Tokens and times are of this call.
type EvaluateResult struct {
	Set    evalset.Set `json:"set"`
	File   string      `json:"file"`
	Model  string      `json:"model"` // name
	LoRA   string      `json:"lora,omitempty"`
	Chat   string      `json:"chat"` // how conversations were written
	Out    string      `json:"out"`
	Before int         `json:"done_before"`
	evalset.Report
	Decoded  int       `json:"decode_tokens"`
	Computed int       `json:"prefill_tokens_computed"`
	Reused   int       `json:"prefill_tokens_reused"`
	WallS    float64   `json:"wall_s"`
	Failures []Failure `json:"failures"`
}

// Evaluate measures a model on a standard set. Results by item are kept in a directory; the same call continues what is
// there. A *failure.RowsError comes with the result where items failed.
func Evaluate(ctx context.Context, env Env, c EvaluateConfig) (r EvaluateResult, err error) {
	begun := env.Now()
	if err := c.Validate(); err != nil {
		return r, err
	}
	h, err := newEvaluationHost(env, c)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	done, err := worker.Do[evaluated](ctx, env.spawner(), jobEvaluate, h.job, h.host())
	if err != nil {
		return r, decodeFailure(ctx, err)
	}
	r = h.result(done)
	r.WallS = env.Now().Sub(begun).Seconds()
	if err := h.write(r); err != nil {
		return r, err
	}
	if n := len(r.Failures); n > 0 {
		err = &failure.RowsError{Failed: n, Of: len(h.job.Items) + len(h.bad), What: "items failed or could not be read", Detail: "the first: " + r.Failures[0].Why}
	}
	return r, err
}

// evaluationHost is the parent's side: it alone writes results.
type evaluationHost struct {
	env     Env
	config  EvaluateConfig
	job     evaluationJob
	bad     []prompts.BadRow
	store   *runstore.Evaluation
	results map[string]evalset.Result // by item
	judge   *refusal.Detector
	before  int // items that had a result
}

// newEvaluationHost reads the set.
func newEvaluationHost(env Env, c EvaluateConfig) (*evaluationHost, error) {
	q, err := evalset.Read(c.Set, c.File, env.Stdin, c.Limit)
	if err != nil {
		return nil, failure.Input(err)
	}
	if len(q.Items) == 0 {
		return nil, failure.Inputf("none of the %d lines of %s is an item of %s; the first: %v", len(q.Bad), c.File, c.Set, q.Bad[0])
	}
	env.sayHowRead(q.Report)
	env.warnOfBadRows(q.Bad)
	date, err := runstore.EvaluationDate(c.dir())
	if err != nil {
		return nil, err
	}
	if date == "" {
		date = env.today()
	}
	judge, err := refusal.Load()
	if err != nil {
		return nil, err
	}
	job := evaluationJob{
		Set: c.Set, SetSHA256: q.SHA256, Items: q.Items, Date: date, MaxTokens: c.MaxTokens,
		Weights: runner.Weights{Model: c.Model, Adapter: runner.ParseAdapter(c.LoRA)}, Compute: c.compute(), Context: c.Context,
	}
	return &evaluationHost{env: env, config: c, job: job, bad: q.Bad, results: map[string]evalset.Result{}, judge: judge}, nil
}

func (h *evaluationHost) host() worker.Host {
	return worker.Host{
		Unit: "item", Log: h.env.Log, Notify: h.env.notify,
		PutAside: func(id, why string) error { return h.keep(evalset.Result{ID: id, Error: why}) },
		Methods: worker.Methods{
			methodOpen:   worker.NewMethod(h.open),
			methodAppend: worker.NewMethod(func(r evalset.Result) (n worker.Nothing, err error) { return n, h.keep(r) }),
		},
	}
}

// open opens the results for the first worker, and tells each which items are done. Items that failed in an earlier call
// are tried again.
func (h *evaluationHost) open(s runstore.EvaluationSettings) (done []string, err error) {
	if h.store == nil {
		if h.store, err = runstore.OpenEvaluation(h.config.dir(), s); err != nil {
			return nil, err
		}
		if err := h.recall(); err != nil {
			return nil, err
		}
	}
	for id := range h.results {
		done = append(done, id)
	}
	return done, nil
}

// recall takes the results of earlier calls.
func (h *evaluationHost) recall() error {
	kept, err := h.store.Results()
	if err != nil {
		return err
	}
	for _, it := range h.job.Items {
		text, ok := kept[it.ID]
		if !ok {
			continue
		}
		var r evalset.Result
		if err := json.Unmarshal(text, &r); err != nil {
			return fmt.Errorf("reading the result of item %s in %s: %w", it.ID, h.config.dir(), err)
		}
		if r.Error == "" {
			h.results[it.ID] = r
		}
	}
	h.before = len(h.results)
	return nil
}

// keep keeps a result. One that cannot be kept stops the work, which can be continued.
func (h *evaluationHost) keep(r evalset.Result) error {
	text, err := plainjson.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing the result of item %s down: %w", r.ID, err)
	}
	h.results[r.ID] = r
	return failure.Stopped(h.store.Put(r.ID, text))
}

func (h *evaluationHost) close() error {
	if h.store == nil {
		return nil
	}
	return h.store.Close()
}

func (h *evaluationHost) result(done evaluated) EvaluateResult {
	r := EvaluateResult{
		Set: h.job.Set, File: h.config.File, Model: done.Model, LoRA: h.config.LoRA, Chat: h.job.Compute.Chat, Out: h.config.dir(), Before: h.before,
		Report:  evalset.NewReport(h.job.Set, h.job.Items, h.results, declines(h.judge)),
		Decoded: done.Stats.Decoded, Computed: done.Stats.Prefilled, Reused: done.Stats.Reused, Failures: []Failure{},
	}
	for _, bad := range h.bad {
		r.Failures = append(r.Failures, Failure{Row: bad.File, Line: bad.Line, Why: bad.Reason})
	}
	for _, it := range h.job.Items {
		if why := h.results[it.ID].Error; why != "" {
			r.Failures = append(r.Failures, Failure{Row: it.ID, Why: why})
		}
	}
	return r
}

// declines says whether an answer declines in full, and whether that can be said of it.
func declines(judge *refusal.Detector) func(answer string) (declined, judged bool) {
	return func(answer string) (declined, judged bool) {
		v := judge.Judge(answer).Verdict
		return v == refusal.Full, v != refusal.NotJudged
	}
}

// write writes the items and the figures for people and other programs.
func (h *evaluationHost) write(r EvaluateResult) error {
	err := atomicfile.Write(filepath.Join(r.Out, EvaluationItems), func(w io.Writer) error {
		for _, it := range h.job.Items {
			text, err := plainjson.Marshal(struct {
				evalset.Item
				Result evalset.Result `json:"result"`
			}{it, h.results[it.ID]})
			if err != nil {
				return fmt.Errorf("writing item %s: %w", it.ID, err)
			}
			if _, err := w.Write(append(text, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return failure.Stopped(err)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	return failure.Stopped(atomicfile.WriteFile(filepath.Join(r.Out, EvaluationReport), append(text, '\n')))
}

// evaluated is what a worker says of its own work on a set.
type evaluated struct {
	Model string // name
	Stats engine.Stats
}
