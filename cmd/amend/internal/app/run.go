package app

import (
	"context"
	"errors"
	"iter"
	"path/filepath"
	"strings"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/worker"
	"amend/constitution"
	"amend/engine/prompts"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/engine/selftest"
)

// RunResult says how a run went. Rows, revisions, flags and failures count the rows that this call names, whichever
// command did them. Tokens and times are those of this call; those of a worker that died are not known.
type RunResult struct {
	Summary    runstore.Summary // of the rows
	Outcome    Outcome          // of the rows
	Rounds     int              // of critique and revision that were asked for
	Samples    int              // of each prompt
	Before     int              // rows that earlier commands did
	Unreadable int              // rows of the prompts that never became one
	Asked      int              // rows asked for, unreadable ones included
	Failures   []Failure
	Seed       uint64
	Out        string

	WallS                   float64 // seconds
	DecodeTokS, PrefillTokS float64 // by the time of steps in llama.cpp
	Decoded                 int     // tokens sampled
	Computed, Reused        int     // prompt tokens
	KVRead, KVWhole         uint64  // bytes of keys and values that attention read, and would have, had each row held its preamble
	// SelfTest is what the gate's judge made of known cases; nil where there is no gate, or no cases.
	SelfTest *selftest.Result
	// VerdictTest is what its verdicts made of them.
	VerdictTest *selftest.VerdictResult
	// ReadingTest is what the critic made of known critiques, and FitTest of the question which principles known responses break.
	ReadingTest *selftest.VerdictResult
	FitTest     *selftest.FitResult
}

// Failure is a row or pair without a result, and why.
type Failure struct {
	Row  string `json:"row"`
	Why  string `json:"why"`
	Line int    `json:"line,omitempty"` // in the input file, for one that could not be read
}

// Failed is how many rows have no result.
func (r RunResult) Failed() int { return r.Summary.Failed + r.Unreadable }

// Run answers prompts, criticises and revises the answers, and writes a run directory, or continues an existing one. If
// rows failed, it returns the result and a *failure.RowsError.
func Run(ctx context.Context, env Env, c RunConfig) (RunResult, error) {
	set, stages, err := env.beginRun(ctx, c)
	if err != nil {
		return RunResult{}, err
	}
	if err := runstore.Writable(c.Out); err != nil {
		return RunResult{}, err
	}
	if len(stages) == 1 {
		return env.runStage(ctx, stages[0], set, c)
	}
	if stages[1].byServer() {
		if err := env.checkServer(ctx, c); err != nil {
			return RunResult{}, err
		}
	}
	first, err := env.runResponses(ctx, stages[0], set, c)
	if err != nil {
		return RunResult{}, err
	}
	r, err := env.runStage(ctx, stages[1], set, c)
	r.addTokens(first)
	return r, err
}

// runResponses does the first of two stages. No other process may write to the whole run's directory meanwhile.
func (e Env) runResponses(ctx context.Context, s stage, set *prompts.Set, whole RunConfig) (r RunResult, err error) {
	free, err := runstore.Claim(whole.Out)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, free()) }()
	r, err = e.runStage(ctx, s, set, whole)
	var failed *failure.RowsError
	if errors.As(err, &failed) {
		err = nil // such rows fail again in the next stage
	}
	return r, err
}

// addTokens adds the tokens and the time of an earlier stage. Rates stay those of the last one.
func (r *RunResult) addTokens(first RunResult) {
	r.WallS += first.WallS
	r.Decoded, r.Computed, r.Reused = r.Decoded+first.Decoded, r.Computed+first.Computed, r.Reused+first.Reused
	r.KVRead, r.KVWhole = r.KVRead+first.KVRead, r.KVWhole+first.KVWhole
}

// beginRun checks the settings of a run and reads its prompts.
func (e Env) beginRun(ctx context.Context, c RunConfig) (set *prompts.Set, stages []stage, err error) {
	if c.Model == "" {
		return nil, nil, &NoModelError{"model", Models()}
	}
	if err := c.Validate(); err != nil {
		return nil, nil, err
	}
	stages = c.stages()
	if err := checkStages(stages); err != nil {
		return nil, nil, err
	}
	if err := e.warnOfAnotherModel(ctx, stages); err != nil {
		return nil, nil, err
	}
	if c.Gate.On {
		if err := checkJudgements(c.layers(), c.Principles); err != nil {
			return nil, nil, err
		}
	}
	set, err = e.readPrompts(c)
	return set, stages, err
}

// runStage does a run, or a part of the whole run.
func (e Env) runStage(ctx context.Context, s stage, set *prompts.Set, whole RunConfig) (result RunResult, err error) {
	begun := e.Now()
	in, err := e.readInputs(s, set)
	if err != nil {
		return result, err
	}
	in.recorded, in.whole = s.config, &whole
	if s.config.Out == whole.Out {
		in.recorded = whole
	}
	h := newRunHost(e, in)
	defer func() { err = errors.Join(err, h.close()) }()
	out, err := worker.Do[computed](ctx, e.spawner(), jobRun, in.job, h.host())
	if err != nil {
		return result, decodeFailure(ctx, err)
	}
	result, err = h.finish(out)
	result.WallS = e.Now().Sub(begun).Seconds()
	return result, err
}

// finish writes the files of a finished run besides its database, and says how the run went.
func (h *runHost) finish(out computed) (r RunResult, err error) {
	bad := h.in.bad
	if err := h.run.Finish(bad); err != nil {
		return r, failure.Stopped(err) // all rows are on disk: the same command writes the rest
	}
	if out.TurnSeconds > 0 {
		measured := h.run.Manifest().Measured
		measured.TurnSeconds = out.TurnSeconds
		if err := h.run.Measure(measured); err != nil {
			return r, failure.Stopped(err)
		}
	}
	st := out.Stats
	r = RunResult{
		Before: h.before, Unreadable: len(bad), Asked: len(h.rows) + len(bad), Failures: []Failure{},
		Seed: h.in.job.Config.Seed, Out: h.in.job.Config.Out, Outcome: NewOutcome(),
		Rounds: h.in.job.Config.Revisions, Samples: h.in.job.Config.Samples,
		DecodeTokS: rate(st.StepTokens, st.DecodeTime), PrefillTokS: rate(st.Prefilled, st.PrefillTime),
		Decoded: st.Decoded, Computed: st.Prefilled, Reused: st.Reused,
		SelfTest: h.run.Manifest().Measured.SelfTest, VerdictTest: h.run.Manifest().Measured.VerdictTest, ReadingTest: h.run.Manifest().Measured.ReadingTest, FitTest: h.run.Manifest().Measured.FitTest,
		KVRead: uint64(st.KVRead) * out.CellBytes, KVWhole: uint64(st.KVWhole) * out.CellBytes,
	}
	for _, b := range bad {
		r.Failures = append(r.Failures, Failure{Row: b.File, Line: b.Line, Why: b.Reason})
	}
	if err := h.summarize(&r); err != nil {
		return r, err
	}
	if r.Failed() > 0 {
		return r, &failure.RowsError{Failed: r.Failed(), Of: r.Asked, What: "rows failed or could not be read", Detail: filepath.Join(r.Out, runstore.FailedFile) + " lists them"}
	}
	return r, nil
}

// summarize counts the rows that this call names. The directory holds more where an earlier one had a higher limit.
func (h *runHost) summarize(r *RunResult) error {
	for rec, err := range h.run.Rows() {
		if err != nil {
			return err
		}
		if _, mine := h.rows[rec.ID]; !mine {
			continue
		}
		r.Summary.Add(rec)
		r.Outcome.Add(&rec)
		if rec.Error != "" {
			r.Failures = append(r.Failures, Failure{Row: rec.ID, Why: rec.Error})
		}
	}
	return nil
}

// ConstitutionChangedError refuses to continue a run whose constitution was another.
type ConstitutionChangedError struct {
	Refused    *runstore.ChangedError
	Then, Now  []string // principles that draws were and are narrowed to
	Difference constitution.Difference
}

// Error gives the refusal; what differs is in the fields.
func (e *ConstitutionChangedError) Error() string { return e.Refused.Error() }

// Unwrap returns the refusal.
func (e *ConstitutionChangedError) Unwrap() error { return e.Refused }

// withConstitutionDiff adds to a refusal to continue a run what its constitution was and is, where that is why.
func (h *runHost) withConstitutionDiff(refused error) error {
	var changed *runstore.ChangedError
	if !errors.As(refused, &changed) {
		return refused
	}
	m, _, err := runstore.Read(h.in.job.Config.Out)
	if err != nil {
		return errors.Join(refused, err)
	}
	old, err := StoredRun{Dir: h.in.job.Config.Out, Manifest: m}.constitution()
	if err != nil || old.Hash() == h.in.document.Hash() {
		return refused // a run of before there was such a file, or another reason
	}
	return &ConstitutionChangedError{
		Refused: changed, Then: m.Setup.Principles, Now: h.in.job.Config.Principles,
		Difference: constitution.Diff(old, h.in.document),
	}
}

// records are the rows of a run, in input order.
type records = iter.Seq2[revise.Record, error]

// Selection names the principles that draws are narrowed to.
func Selection(names []string) string {
	if len(names) == 0 {
		return "all"
	}
	return strings.Join(names, ",")
}
