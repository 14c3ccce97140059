package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"amend/cmd/amend/internal/failure"
	"amend/constitution"
	"amend/engine/feedback"
	"amend/engine/prompts"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/models/testbed"
)

// runJob is a run, or a stage of one, as data for a worker: everything but the model, which the worker opens.
type runJob struct {
	Config  RunConfig
	Plan    bool // count the turns, compute nothing
	Stream  bool // tell the parent what is written, while it is (a job of one row)
	Date    string
	Version string
	Prompts []revise.Row // before Config.Samples makes several rows of each
	// Initial are first responses that another run made, by the ids of rows.
	Initial      map[string]revise.InitialResponse
	Constitution []byte // composed, as YAML
	Grammar      string // of critiques, in GBNF
	PromptsSHA   string // SHA-256 of their file
	Responses    string // what made the first responses, where another run did (runstore.Results.Hash)
}

// rows are the rows of the run: several of each prompt, where there are samples.
func (j runJob) rows() []revise.Row {
	rows := revise.Samples(slices.Clone(j.Prompts), j.Config.Samples)
	for i := range rows {
		if initial, ok := j.Initial[rows[i].ID]; ok {
			rows[i].Initial = &initial
		}
	}
	return rows
}

// stage is a run, or one of the two that a staged run is.
type stage struct {
	config      RunConfig
	responsesOf string // the run that made the first responses; empty: this one makes them
}

// stages returns the parts of a run. First responses of another model or adapter are a run of their own, in a folder of
// the run: one model is in memory at a time, and each part is supervised, continued and verified as any run is.
func (c RunConfig) stages() []stage {
	if !c.staged() {
		return []stage{{config: c}}
	}
	inner := filepath.Join(c.Out, runstore.ResponsesDir)
	first, rest := c, c
	first.Revisions, first.Gate.On, first.Out, first.Critic, first.CriticLoRA = 0, false, inner, "", ""
	first.CriticURL, first.CriticURLModel = "", ""
	rest.LoRA, rest.Critic, rest.CriticLoRA = c.CriticLoRA, "", ""
	if c.Critic != "" {
		rest.Model, rest.Compute.Template = c.Critic, ""
		rest.Constitution = c.layers()
	}
	if c.CriticURL != "" {
		rest = rest.forServer()
	}
	return []stage{{config: first}, {config: rest, responsesOf: inner}}
}

// inputs are what a stage reads before any model is opened.
type inputs struct {
	job      runJob
	document *constitution.Document // with the principles that are drawn from
	bad      []prompts.BadRow
	recorded RunConfig          // that the run directory keeps
	whole    *RunConfig         // of a run of several stages
	previous *runstore.Manifest // of the run that is continued; nil for a new one
}

// readInputs reads the constitution, the grammar and the manifest of the run that is continued.
func (e Env) readInputs(s stage, given *prompts.Set) (in inputs, err error) {
	c := s.config
	if in, err = e.newInputs(c, given); err != nil {
		return in, err
	}
	if s.responsesOf != "" {
		if err := in.job.takeResponses(s.responsesOf); err != nil {
			return in, err
		}
	}
	if old, _, err := runstore.Read(c.Out); err == nil {
		in.previous, in.job.Date = &old, old.Created
	} else if !errors.Is(err, runstore.ErrNotARun) {
		return in, err
	}
	return in, nil
}

// newInputs are those of a run that nothing is there of.
func (e Env) newInputs(c RunConfig, given *prompts.Set) (in inputs, err error) {
	composed, err := constitution.Load(c.layers()...)
	if err != nil {
		return in, failure.Input(err)
	}
	if in.document, err = composed.Select(c.Principles); err != nil {
		return in, failure.Input(err)
	}
	in.job = runJob{Config: c, Version: e.Version, Date: e.today(), PromptsSHA: given.SHA256, Prompts: given.Rows}
	in.bad = given.Bad
	if in.job.Constitution, err = composed.YAML(); err != nil {
		return in, fmt.Errorf("writing the constitution down: %w", err)
	}
	in.job.Grammar, err = c.grammar()
	return in, err
}

// grammar is the text of the grammar of critiques; empty without one.
func (c RunConfig) grammar() (string, error) {
	switch c.CritiqueGrammar {
	case "":
		return "", nil
	case unknownGrammar:
		return "", failure.Missing("critique-grammar", "the run had one, and its directory holds only the hash; give the file, or an empty path for none")
	}
	text, err := os.ReadFile(c.CritiqueGrammar)
	if err != nil {
		return "", failure.Inputf("reading critique-grammar: %w", err)
	}
	return string(text), nil
}

// readPrompts reads the prompts of a run, once for all its stages.
func (e Env) readPrompts(c RunConfig) (*prompts.Set, error) {
	set, err := prompts.Read(c.Prompts, e.Stdin, c.input())
	if err != nil {
		return nil, failure.Input(err)
	}
	e.sayHowRead(set.Report)
	if len(set.Rows) == 0 {
		return nil, failure.Inputf("none of the %d rows of %s can be read; the first: %v", len(set.Bad), c.Prompts, set.Bad[0])
	}
	e.warnOfBadRows(set.Bad)
	e.warnOfForeignPrompts(c.Model, set.Rows)
	return set, nil
}

// warnOfBadRows tells of rows that cannot be read.
func (e Env) warnOfBadRows(rows []prompts.BadRow) {
	const most = 20
	for i, bad := range rows {
		if i == most {
			e.Log.Warn("more rows cannot be read and are not listed", "count", len(rows)-i)
			break
		}
		e.Log.Warn("a row cannot be read and is left out", "file", bad.File, "line", bad.Line, "why", bad.Reason)
	}
}

// warnOfForeignPrompts warns that the embedded model knows only its own world.
func (e Env) warnOfForeignPrompts(model string, rows []revise.Row) {
	if model != testbed.Name {
		return
	}
	foreign, world := 0, testbed.New()
	for _, r := range rows {
		if _, ok := world.ReadPrompt(r.Messages[len(r.Messages)-1].Text); !ok {
			foreign++
		}
	}
	if foreign > 0 {
		e.Log.Warn("the testbed model is a test bench: its answers to prompts outside its small world are nonsense; give a model of your own",
			"such prompts", foreign, "of", len(rows))
	}
}

// takeResponses gives the rows the first responses that another run made.
func (j *runJob) takeResponses(dir string) error {
	m, rows, err := runstore.Read(dir)
	if err != nil {
		return err
	}
	if j.Responses, err = m.Results.Hash(); err != nil {
		return err
	}
	j.Initial = map[string]revise.InitialResponse{}
	for rec, err := range rows {
		if err != nil {
			return err
		}
		initial := revise.InitialResponse{Error: rec.Error}
		if rec.Error == "" {
			initial.Turn, _ = rec.Final()
		}
		j.Initial[rec.ID] = initial
	}
	for _, r := range j.rows() {
		if r.Initial == nil && r.Response == nil {
			return fmt.Errorf("row %s has no first response in %s: it is not finished", r.ID, dir)
		}
	}
	return nil
}

// checkJudgements checks that a judge can be asked under all principles that may be drawn.
func checkJudgements(layers, principles []string) error {
	doc, err := constitution.Load(layers...)
	if err == nil {
		doc, err = doc.Select(principles)
	}
	if err == nil {
		err = feedback.Check(doc)
	}
	return failure.Input(err)
}
