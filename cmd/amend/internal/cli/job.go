package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"charm.land/log/v2"
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/render"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/supervise"
	"amend/constitution"
	"amend/engine"
	"amend/engine/digest"
	"amend/engine/llama"
	"amend/engine/prompts"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/models/testbed"
)

// job is one `amend run`, put together step by step: inputs, model, loop,
// context, run directory. What it opens it closes, in reverse order.
type job struct {
	session
	options runOptions

	composed *constitution.Document // all of it
	doc      *constitution.Document // with the principles that are drawn from
	set      *prompts.Set

	grammarSHA     string
	gate           *revise.Gate        // nil: all revisions are taken
	loops          []*revise.Loop      // one for each preamble
	responses      string              // what made the first responses, where another run did
	attach         *engine.AttachCosts // what was measured for this run, if anything
	store          *supervise.Store
	finishedBefore int
	turnSeconds    float64 // of wall time for each turn that this command computed; 0 before run
}

// unfinishedError is the end of a run that a signal stopped.
type unfinishedError struct{ cause error }

func (*unfinishedError) Error() string {
	return "what is finished is saved, the same command continues"
}
func (e *unfinishedError) Unwrap() error { return e.cause }

func newJob(cmd *cobra.Command, o runOptions) *job {
	j := &job{options: o}
	j.session = newSession(&j.options.modelFlags, &j.options.engineFlags, cmd.ErrOrStderr())
	j.adapter = parseAdapter(o.lora)
	return j
}

// prepare does all that comes before the run directory: what a plan needs.
func (j *job) prepare(ctx context.Context, stdin io.Reader) error {
	for _, step := range []func(context.Context) error{
		func(context.Context) error { return j.readInputs(stdin) },
		j.openModel, j.openAdapter, j.openFormat, j.openLoop, j.fitContext,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// runJob runs a job from its flags to its summary. store is not opened yet.
func runJob(cmd *cobra.Command, o runOptions, store *supervise.Store) (err error) {
	ctx := cmd.Context()
	j := newJob(cmd, o)
	j.store = store
	defer func() { err = errors.Join(err, j.close()) }()
	if err := j.prepare(ctx, cmd.InOrStdin()); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{j.openStore, j.openEngine} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := j.run(ctx); err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return &unfinishedError{err}
		}
		return err
	}
	return j.report(cmd.OutOrStdout())
}

// readInputs reads what a person wrote: constitution and prompts.
func (j *job) readInputs(stdin io.Reader) error {
	o := j.options
	doc, err := constitution.Load(o.layers()...)
	if err != nil {
		return usage(err)
	}
	j.composed = doc
	if j.doc, err = doc.Select(o.principles); err != nil {
		return usage(err)
	}
	if j.set, err = prompts.Read(o.prompts, stdin, prompts.Options{FromResponses: o.fromResponses, Limit: o.limit}); err != nil {
		return usage(err)
	}
	if len(j.set.Rows) == 0 {
		return usage(fmt.Errorf("none of the %d rows of %s can be read; the first: %v", len(j.set.Bad), o.prompts, j.set.Bad[0]))
	}
	warnOfBadRows(j.log, j.set.Bad)
	j.set.Rows = revise.Samples(j.set.Rows, o.samples)
	if err := j.takeResponses(); err != nil {
		return err
	}
	j.warnOfForeignPrompts()
	j.date = time.Now().UTC().Format(time.DateOnly)
	if old, _, err := runstore.Read(o.out); err == nil {
		j.date = old.Created
	}
	return nil
}

// warnOfBadRows tells of rows that cannot be read.
func warnOfBadRows(l *log.Logger, rows []prompts.BadRow) {
	for i, bad := range rows {
		if i == 20 {
			l.Warn("further rows that cannot be read are only counted", "count", len(rows)-i)
			break
		}
		l.Warn("a row cannot be read and is left out", "file", bad.File, "line", bad.Line, "why", bad.Reason)
	}
}

// warnOfForeignPrompts tells who tries the embedded model on prompts of their own that it knows its own world only.
func (j *job) warnOfForeignPrompts() {
	if j.options.model != testbed.Name {
		return
	}
	foreign, world := 0, testbed.New()
	for _, r := range j.set.Rows {
		if _, ok := world.ReadPrompt(r.Messages[len(r.Messages)-1].Text); !ok {
			foreign++
		}
	}
	if foreign > 0 {
		j.log.Warn("the testbed model is a test bench: to prompts that are not of its small world it answers nonsense; give --model for a model of yours",
			"such prompts", foreign, "of", len(j.set.Rows))
	}
}

func (j *job) openLoop(ctx context.Context) (err error) {
	o := j.options
	settings := revise.Settings{
		Rounds: o.revisions, Mode: revise.Mode(o.mode), NoCritique: !o.critique, MaxTokens: o.maxTokens,
		Sampling: o.sampling, Seed: o.seed, System: o.system, Think: j.think, LogProbs: o.logProbs,
	}
	for id := range o.sampling.LogitBias {
		if last := j.model.Vocab().Size() - 1; int(id) > last {
			return usage(fmt.Errorf("--logit-bias for token %d: the model's last token is %d", id, last))
		}
	}
	if o.grammar != "" {
		if settings.CritiqueGrammar, err = j.openGrammar(o.grammar); err != nil {
			return err
		}
		settings.CritiqueGrammarName = j.grammarSHA
	}
	if j.gate, err = j.openGate(ctx); err != nil {
		return err
	}
	settings.Gate = j.gate
	for k := range o.preambles {
		shown := j.doc.Preamble(o.seed, k, o.preambles)
		if !o.fewShots {
			shown.Demonstrations = nil
		}
		l, err := revise.New(ctx, j.format, shown, settings)
		if err != nil {
			return usage(err)
		}
		j.loops = append(j.loops, l)
	}
	return nil
}

// preambleOf is the place of a row's preamble: its seed decides, so neighbours change nothing.
func (j *job) preambleOf(r revise.Row) int {
	return int(digest.PreambleSeed(j.options.seed, r.ID) % uint64(len(j.loops)))
}

// loopOf is the loop that a row goes through, the one with its preamble.
func (j *job) loopOf(r revise.Row) *revise.Loop { return j.loops[j.preambleOf(r)] }

// preamble is the length of the longest preamble, in tokens.
func (j *job) preamble() int {
	longest := 0
	for _, l := range j.loops {
		longest = max(longest, len(l.Prefix()))
	}
	return longest
}

// openGrammar reads a GBNF file. Each critique gets a clone of it.
func (j *job) openGrammar(path string) (func() (engine.Grammar, error), error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usage(fmt.Errorf("reading --critique-grammar: %w", err))
	}
	sum := sha256.Sum256(text)
	j.grammarSHA = hex.EncodeToString(sum[:])
	g, err := j.model.Vocab().NewGrammar(string(text), "root")
	if err != nil {
		return nil, usage(fmt.Errorf("--critique-grammar %s: %w", path, err))
	}
	j.closers = append(j.closers, g.Close)
	return func() (engine.Grammar, error) { return g.Clone() }, nil
}

func (j *job) openStore(context.Context) error {
	o := j.options
	warnings, err := j.store.Open(o.out, j.manifest(), runstore.Options{Redo: o.redo, RetryFailed: o.retryFailed})
	if err != nil {
		return j.withConstitutionDiff(err)
	}
	for _, w := range warnings {
		j.log.Warn(w)
	}
	text, err := j.composed.YAML()
	if err != nil {
		return err
	}
	if err := j.store.KeepConstitution(text); err != nil {
		return err
	}
	for _, l := range j.loops {
		l.Use(memory{j.store}, j.environment())
	}
	if j.attach == nil {
		return nil
	}
	return j.store.Measure(runstore.Measured{Attach: j.attach})
}

// memory is the store as the loop sees it. A turn that cannot be kept stops the run, which can be continued.
type memory struct{ *supervise.Store }

// Put keeps a turn.
func (m memory) Put(key revise.Key, o revise.TurnResult) error {
	if err := m.Store.Put(key, o); err != nil {
		return &exitError{exitStopped, err}
	}
	return nil
}

// environment names what logits depend on beside the tokens, as far as rows of one run may not differ in it.
func (j *job) environment() string { return j.identity(j.size.TypeK.String()).Environment() }

// withConstitutionDiff adds to a refusal to continue a run what its constitution was and is, where that is why.
func (j *job) withConstitutionDiff(refused error) error {
	var changed *runstore.ChangedError
	if !errors.As(refused, &changed) {
		return refused
	}
	m, _, err := runstore.Read(j.options.out)
	if err != nil {
		return errors.Join(refused, err)
	}
	old, err := constitutionOf(j.options.out, m)
	if err != nil || old.Hash() == j.doc.Hash() {
		return refused // a run of before there was such a file, or another reason
	}
	var diff strings.Builder
	if err := render.Difference(render.NewPage(&diff), constitution.Diff(old, j.doc)); err != nil {
		return errors.Join(refused, err)
	}
	selected := ""
	if !slices.Equal(m.Setup.Principles, j.options.principles) {
		selected = fmt.Sprintf("\n--principles were %s then, and are %s now.", selection(m.Setup.Principles), selection(j.options.principles))
	}
	return fmt.Errorf("%w\n%s\nthe constitution, then and now: %s", refused, selected, strings.TrimSuffix(diff.String(), "\n"))
}

// constitutionOf is the constitution of a run, with the principles that it draws from.
func constitutionOf(dir string, m runstore.Manifest) (*constitution.Document, error) {
	doc, err := constitution.Load(filepath.Join(dir, runstore.ConstitutionFile))
	if err != nil {
		return nil, err
	}
	return doc.Select(m.Setup.Principles)
}

// selection names the principles that draws are narrowed to.
func selection(names []string) string {
	if len(names) == 0 {
		return "all"
	}
	return strings.Join(names, ",")
}

func (j *job) manifest() runstore.Manifest {
	o, s := j.options, j.options.sampling
	return runstore.Manifest{
		Created: j.date,
		Results: runstore.Results{
			ModelSHA256: j.modelSHA, ModelSize: int64(j.file.SizeBytes), LoRASHA256: j.adapter.sha, LoRAScale: j.adapterScale(), Responses: j.responses, TemplateSHA256: j.templateSHA, Chat: o.chat,
			ConstitutionSHA256: j.doc.Hash(), PromptsSHA256: j.set.SHA256, FromResponses: o.fromResponses, Preambles: several(o.preambles), NoFewShots: !o.fewShots, Samples: several(o.samples),
			Mode: o.mode, Revisions: o.revisions, NoCritique: !o.critique, System: o.system, Seed: o.seed, MaxTokens: o.maxTokens,
			Temperature: s.Temperature, TopK: s.TopK, TopP: s.TopP, MinP: s.MinP,
			RepetitionPenalty: off(s.RepetitionPenalty), FrequencyPenalty: s.FrequencyPenalty, PresencePenalty: s.PresencePenalty,
			PenaltyWindow: s.PenaltyWindow, LogitBias: o.logitBias, GrammarSHA256: j.grammarSHA, LogProbs: o.logProbs,
			Gate: o.gate.results(), KVType: j.size.TypeK.String(), Deterministic: o.deterministic,
		},
		Setup: runstore.Setup{
			Amend: version, LlamaCpp: llama.Version(), Model: j.file.Path, Architecture: j.file.Architecture, LoRA: j.adapter.path,
			Constitution: j.doc.Name, ConstitutionVersion: j.doc.Version, Principles: o.principles, Template: o.template,
			Prompts: o.prompts, Limit: o.limit, Rows: len(j.set.Rows),
			Threads: j.size.Threads, Context: j.size.Limit, Parallel: j.size.Parallel(), KV: j.layout(),
			GPULayers: o.gpuLayers, FlashAttention: j.size.FlashAttn != llama.FlashOff, Machine: runner.Machine(),
		},
	}
}

// several is a number as the manifest has it: 0 where there is one.
func several(n int) int {
	if n == 1 {
		return 0
	}
	return n
}

// off is a repetition penalty as the manifest has it: 0 where it is off.
func off(penalty float64) float64 {
	if penalty == 1 {
		return 0
	}
	return penalty
}
