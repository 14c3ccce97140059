package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"amend/cmd/amend/internal/critic"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/worker"
	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/digest"
	"amend/engine/quote"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/engine/sample"
	"amend/engine/selftest"
	"amend/models"
)

// runComputation is the worker's part of a run. Its steps open the model, the loops, the context and the parent's store.
type runComputation struct {
	job      runJob
	rows     []revise.Row
	previous *runstore.Manifest // of the run that is continued; nil for a new one
	env      Env
	parent   *worker.Client
	store    runStore
	progress *reporter

	document  *constitution.Document // with the principles that are drawn from
	model     *runner.Model          // nil where a server writes
	server    *critic.Server         // nil where the model writes
	format    *chat.Formatter
	think     chat.ThinkTags
	grammar   string                  // SHA-256 of the critiques' grammar
	gate      *revise.Gate            // nil: all revisions are taken
	inspector *revise.Verdicts        // nil: no draft is judged before its critique
	tested    *selftest.Result        // of the gate's judge; nil where it was not tested here
	verdicts  *selftest.VerdictResult // of the same
	reading   *selftest.VerdictResult // of what critiques find
	fits      *selftest.FitResult     // of which principles it finds to fit
	settings  revise.Settings
	loops     []*revise.Loop     // one for each demonstration set
	size      runner.ContextPlan // of the context
	engine    *engine.Engine
	left      int // rows to do when this worker began
}

// computed is the worker's report on a run.
type computed struct {
	Plan        revise.Plan  // where that was asked for
	Forecast    *Forecast    // of its turns; nil where there are none
	Before      int          // rows that were done before
	Stats       engine.Stats // of the engine
	CellBytes   uint64       // keys and values of a token
	TurnSeconds float64      // of wall time for each turn that this worker computed; 0 where it computed none
}

// computeRun is the handler of runs and of their plans.
func (e Env) computeRun(ctx context.Context, job worker.Job, parent *worker.Client) (result []byte, err error) {
	c := &runComputation{env: e, parent: parent, progress: newReporter(parent, "row")}
	if err := json.Unmarshal(job.Payload, &c.job); err != nil {
		return nil, fmt.Errorf("reading the job: %w", err)
	}
	limits := job.Limits
	job.Payload = nil // it may be large
	c.rows = c.job.rows()
	steps := []func(context.Context) error{c.openInputs, c.openModel, c.openLoops, c.testJudges, c.testFit, c.testReading, func(ctx context.Context) error { return c.fit(ctx, limits) }, c.openStore}
	if c.job.Config.CriticURL != "" {
		steps = []func(context.Context) error{c.openInputs, c.openServer, c.openLoops, c.openStore}
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	out, err := c.work(ctx, limits)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// work does the job once all is open.
func (c *runComputation) work(ctx context.Context, limits worker.Limits) (computed, error) {
	switch {
	case c.job.Plan:
		return c.plan(ctx)
	case c.server != nil:
		return c.runByServer(ctx)
	}
	return c.run(ctx, limits)
}

// openInputs reads what the job brings, and the manifest of the run that is continued.
func (c *runComputation) openInputs(context.Context) (err error) {
	if c.document, err = c.job.document(); err != nil {
		return err
	}
	c.previous, err = previousManifest(c.parent)
	return err
}

func (c *runComputation) openModel(ctx context.Context) (err error) {
	r := c.job.Config
	c.model, err = runner.Open(ctx, runner.Weights{Model: r.Model, Adapter: runner.ParseAdapter(r.LoRA)}, r.Compute, c.env.options(c.parent.Log(), c.job.Date))
	if err != nil {
		return err
	}
	c.parent.AtEnd(c.model.Close)
	c.useModel()
	return nil
}

// useModel has conversations written for the model.
func (c *runComputation) useModel() { c.format, c.think = c.model.Format(), c.model.ThinkTags() }

// document is the constitution with the principles that are drawn from.
func (j runJob) document() (*constitution.Document, error) {
	composed, err := constitution.Parse(runstore.ConstitutionFile, j.Constitution)
	if err != nil {
		return nil, err
	}
	return composed.Select(j.Config.Principles)
}

// openLoops makes the loop of each demonstration set.
func (c *runComputation) openLoops(ctx context.Context) (err error) {
	r := c.job.Config
	settings := revise.Settings{
		Rounds: r.Revisions, Mode: r.Mode, NoCritique: !r.Critique, Demonstrations: r.Demonstrations, MaxTokens: r.MaxTokens, Tries: r.Tries,
		CritiqueTemperature: orNil(r.Own.CritiqueTemperature), CritiqueMaxTokens: r.Own.CritiqueMaxTokens,
		RevisionTemperature: orNil(r.Own.RevisionTemperature), RevisionMaxTokens: r.Own.RevisionMaxTokens,
		Sampling: r.Sampling, Seed: r.Seed, System: r.System, Think: c.think, LogProbs: r.LogProbs,
	}
	for id := range r.Sampling.LogitBias {
		if last := c.model.VocabularySize() - 1; int(id) > last {
			return &failure.FieldError{Field: "logit-bias", Want: fmt.Sprintf("for token %d: the model's last token is %d", id, last)}
		}
	}
	if err := c.restrictCritiques(&settings); err != nil {
		return err
	}
	if c.gate, err = c.openGate(ctx); err != nil {
		return err
	}
	settings.Gate = c.gate
	if c.inspector, err = c.openInspector(ctx); err != nil {
		return err
	}
	settings.Verdicts = c.inspector
	settings.Draw, settings.Revise, settings.Fit, settings.Reading = r.Draw, r.Revise, c.openFit(), c.openReading()
	c.settings = settings
	for k := range r.DemonstrationSets {
		l, err := c.openLoop(ctx, c.document, k)
		if err != nil {
			return err
		}
		c.loops = append(c.loops, l)
	}
	return nil
}

// openLoop makes the loop that shows demonstration set k of a document.
func (c *runComputation) openLoop(ctx context.Context, doc *constitution.Document, k int) (*revise.Loop, error) {
	l, err := revise.New(ctx, c.format, c.shown(doc, k), c.settings)
	return l, failure.Input(err)
}

// shown is a document with the demonstrations of set k.
func (c *runComputation) shown(doc *constitution.Document, k int) *constitution.Document {
	shown := doc.Preamble(c.job.Config.Seed, k, c.job.Config.DemonstrationSets)
	if c.job.Config.Demonstrations == revise.BeforeNone {
		shown.Demonstrations = nil
	}
	return shown
}

// restrictCritiques has critiques follow the grammar that was given, of which each gets a clone, or quote their draft.
func (c *runComputation) restrictCritiques(s *revise.Settings) error {
	switch {
	case c.job.Grammar != "":
		c.grammar = hashText(c.job.Grammar)
		g, err := c.model.NewGrammar(c.job.Grammar)
		if err != nil {
			return failure.Inputf("critique-grammar %s: %w", c.job.Config.CritiqueGrammar, err)
		}
		s.CritiqueGrammar, s.CritiqueGrammarName = func([]engine.Token) (sample.Grammar, error) { return g.Clone() }, c.grammar
	case c.job.Config.Quote:
		form, err := quote.NewForm(c.model.Vocab())
		if err != nil {
			return fmt.Errorf("preparing critiques that quote: %w", err)
		}
		s.CritiqueGrammar, s.CritiqueGrammarName = func(draft []engine.Token) (sample.Grammar, error) { return form.Of(draft) }, quote.Name()
	}
	return nil
}

// openStore has the parent open the run directory.
func (c *runComputation) openStore(context.Context) error {
	c.store = runStore{parent: c.parent, progress: c.progress}
	if err := c.store.open(c.manifest()); err != nil {
		return err
	}
	for _, l := range c.loops {
		l.Use(c.store, c.environment())
		if c.job.Stream {
			newStreamer(c.parent).listen(l)
		}
	}
	if c.tested == nil && c.verdicts == nil && c.reading == nil && c.fits == nil {
		return nil
	}
	measured := c.store.manifest.Measured
	measured.SelfTest, measured.VerdictTest = cmp.Or(c.tested, measured.SelfTest), cmp.Or(c.verdicts, measured.VerdictTest)
	measured.ReadingTest, measured.FitTest = cmp.Or(c.reading, measured.ReadingTest), cmp.Or(c.fits, measured.FitTest)
	return c.store.measure(measured)
}

// environment names what turns depend on beside what they are asked.
func (c *runComputation) environment() string {
	if c.server != nil {
		return digest.ServerEnvironment(c.server.Model)
	}
	return c.model.Environment(c.size)
}

// preambleOf returns the index of a row's demonstration set. It depends only on the row's seed, not on other rows.
func (c *runComputation) preambleOf(r revise.Row) int {
	return int(digest.PreambleSeed(c.job.Config.Seed, r.ID) % uint64(len(c.loops)))
}

// byPreamble groups rows by the preamble that they share, in the order of the loops.
func (c *runComputation) byPreamble(rows []revise.Row) [][]revise.Row {
	groups := make([][]revise.Row, len(c.loops))
	for _, r := range rows {
		k := c.preambleOf(r)
		groups[k] = append(groups[k], r)
	}
	return groups
}

// todo are the rows that are not done.
func (c *runComputation) todo() []revise.Row {
	return slices.DeleteFunc(slices.Clone(c.rows), func(r revise.Row) bool { return c.store.done[r.ID] })
}

// plan counts what a run would compute.
func (c *runComputation) plan(ctx context.Context) (out computed, err error) {
	c.progress.enter(Counting)
	todo := c.todo()
	out.Before = len(c.rows) - len(todo)
	for k, rows := range c.byPreamble(todo) {
		part, err := c.loops[k].Plan(ctx, rows)
		if err != nil {
			return out, err
		}
		out.Plan = out.Plan.Add(part)
	}
	if c.server != nil {
		out.Plan.Prompt = 0 // its tokens are not known here
		return out, nil
	}
	if out.Plan.Turns > 0 {
		out.Forecast, err = c.forecast(ctx, out.Plan)
	}
	return out, err
}

// run does the rows that are not done yet.
func (c *runComputation) run(ctx context.Context, limits worker.Limits) (out computed, err error) {
	if c.engine, err = c.model.NewEngine(c.size, c.job.Config.Context.PreambleCache, func() { c.progress.step(c.engine) }); err != nil {
		return out, err
	}
	todo := c.todo()
	c.left = len(todo)
	out.Before, out.CellBytes = len(c.rows)-len(todo), runner.CellBytes(c.model.Info(), c.size.TypeK)
	log := c.parent.Log()
	log.Info("running", "model", c.model.Info().Name, "rows", len(todo), "done before", out.Before,
		"alive at once", c.size.Parallel(), "tokens a row", c.size.Limit, "preamble", c.preamble())
	c.sayRepeatable()
	c.count(todo)
	if len(todo) == 0 {
		c.progress.enter(Working)
		return out, nil
	}
	begun := c.env.Now()
	defer context.AfterFunc(ctx, func() {
		log.Info("finishing the turns in progress; another Ctrl-C stops at once")
	})()
	alone, rest := apart(todo, func(r revise.Row) string { return r.ID }, limits.Alone)
	if err := c.runRows(ctx, alone, 1); err != nil {
		return out, err
	}
	if err := c.runRows(ctx, rest, c.size.Parallel()); err != nil {
		return out, err
	}
	out.Stats = c.engine.Stats()
	out.TurnSeconds = c.turnSeconds(begun)
	return out, nil
}

// turnSeconds is how long a turn took since then, in the mean; 0 where there was none.
func (c *runComputation) turnSeconds(begun time.Time) float64 {
	n := *c.store.kept
	if n == 0 {
		return 0
	}
	return c.env.Now().Sub(begun).Seconds() / float64(n)
}

// sayRepeatable says that the same command need not give the same text, where that is so.
func (c *runComputation) sayRepeatable() {
	if c.server != nil {
		c.parent.Log().Info("the same command need not give the same text: a server may answer the same request in other words; turns that are kept stay as they are")
		return
	}
	types := models.Inexact(c.store.manifest.Setup.TensorTypes)
	if len(types) > 0 && !c.job.Config.Compute.Deterministic {
		c.parent.Log().Info("the same command need not give the same text: with these weights it depends on the rows beside a row; --deterministic ends that, and is slower",
			"weights", strings.Join(types, ", "))
	}
}

// count says how many rows and turns there are. A first response that is given is no turn.
func (c *runComputation) count(todo []revise.Row) {
	turns := c.loops[0].Turns()
	before := (len(c.rows) - len(todo)) * turns
	of := len(c.rows) * turns
	for _, r := range todo {
		if r.Initial != nil || r.Response != nil {
			of--
		}
	}
	c.progress.count(len(c.rows), len(c.rows)-len(todo))
	c.progress.countTurns(of, before)
}

// apart separates the units that must run in isolation: one of them may have crashed an earlier worker.
func apart[U any](units []U, id func(U) string, ids []string) (alone, rest []U) {
	for _, u := range units {
		if slices.Contains(ids, id(u)) {
			alone = append(alone, u)
		} else {
			rest = append(rest, u)
		}
	}
	return alone, rest
}

// runRows does some rows, up to parallel of them at once.
func (c *runComputation) runRows(ctx context.Context, rows []revise.Row, parallel int) error {
	for k, group := range c.byPreamble(rows) {
		if err := c.runGroup(ctx, c.loops[k], group, parallel); err != nil {
			return err
		}
		c.engine.Unpin() // makes room for the next preamble
	}
	return nil
}

// runGroup does the rows of one preamble.
func (c *runComputation) runGroup(ctx context.Context, l *revise.Loop, rows []revise.Row, parallel int) error {
	if len(rows) == 0 {
		return nil
	}
	preambles := len(l.Prefix())
	for _, judge := range c.judges() {
		preambles += len(judge.Prefix())
	}
	c.progress.pin(c.engine, preambles)
	if err := c.engine.Pin(ctx, l.Prefix()); err != nil {
		return fmt.Errorf("computing the preamble: %w", err)
	}
	for _, judge := range c.judges() {
		if err := c.engine.Pin(ctx, judge.Prefix()); err != nil {
			return fmt.Errorf("computing the judge's preamble: %w", err)
		}
	}
	if err := c.speculate(ctx, l.Prefix()); err != nil {
		return err
	}
	c.progress.enter(Working)
	return c.feed(ctx, l, c.engine, rows, parallel)
}

// feed gives rows to a loop, up to parallel of them at once.
func (c *runComputation) feed(ctx context.Context, l *revise.Loop, w revise.Writer, rows []revise.Row, parallel int) error {
	var lost error // the parent could not be told
	next := revise.Rows(rows)
	err := l.Run(ctx, w, parallel, func() (revise.Row, bool) {
		r, ok := next()
		if ok {
			lost = c.parent.Begin(r.ID)
		}
		return r, ok && lost == nil
	}, c.save)
	return errors.Join(err, lost)
}

// save takes a row that has ended.
func (c *runComputation) save(rec revise.Record) error {
	if rec.Error != "" {
		c.parent.Log().Warn("a row failed", "row", rec.ID, "why", rec.Error)
	}
	if c.server != nil {
		rec = withoutIDs(rec)
	}
	c.progress.unit(rec.Error != "", c.loops[0].Turns()-len(rec.Turns))
	return c.store.append(rec)
}

// speculate turns on drafted tokens. The costs of steps, which say when drafts pay, are those of the run's manifest, or
// of an earlier command, or are measured.
func (c *runComputation) speculate(ctx context.Context, prefix []engine.Token) error {
	costs := c.store.manifest.Measured.StepCosts
	if !c.job.Config.Speculate || (len(costs) == 0 && c.steps(c.left) < worthCalibrating*engine.CalibrationSteps) {
		return nil
	}
	if len(costs) == 0 {
		var err error
		if costs, err = c.stepCosts(ctx, prefix); err != nil {
			return err
		}
		measured := c.store.manifest.Measured
		measured.StepCosts = costs
		if err := c.store.measure(measured); err != nil {
			return err
		}
	}
	c.engine.Speculate(costs)
	return nil
}

// stepCosts are the costs of steps in a context of this shape. What was measured beside other work is not kept for later
// commands.
func (c *runComputation) stepCosts(ctx context.Context, prefix []engine.Token) (costs []engine.StepCost, err error) {
	key, err := c.model.CostsKey(c.size, len(prefix))
	if err != nil {
		return nil, err
	}
	costs, ok, err := recall[[]engine.StepCost](c.parent, keptCosts, key)
	if err != nil || ok {
		return costs, err
	}
	c.progress.enterCounted(Measuring, 0, "token")
	meter := startMeter()
	if costs, err = c.engine.Calibrate(ctx, prefix, c.size.Parallel(), c.progress.part); err != nil || !meter.quiet() {
		return costs, err
	}
	return costs, keep(c.parent, keptCosts, key, costs)
}
