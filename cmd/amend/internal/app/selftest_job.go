package app

import (
	"context"
	"encoding/json"
	"fmt"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/worker"
	"amend/constitution"
	"amend/engine/feedback"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/engine/selftest"
)

// selfTestJob tests a model as a judge at the defaults of feedback, as data for a worker.
type selfTestJob struct {
	Model        string
	Date         string
	Constitution []byte // as YAML
}

// selfTested is what a model made of known cases; nil without cases.
type selfTested struct {
	Pairs    *selftest.Result
	Verdicts *selftest.VerdictResult
	Fit      *selftest.FitResult
	Reading  *selftest.VerdictResult // of known critiques
}

// testJudge has a worker test a model as a judge under its default constitution, unless that was done before.
func (e Env) testJudge(ctx context.Context, model string) (r selfTested, err error) {
	doc, err := constitution.Load(DefaultConstitution(model))
	if err != nil {
		return r, failure.Input(err)
	}
	job := selfTestJob{Model: model, Date: e.today()}
	if job.Constitution, err = doc.YAML(); err != nil {
		return r, fmt.Errorf("writing the constitution down: %w", err)
	}
	r, err = worker.Do[selfTested](ctx, e.spawner(), jobSelfTest, job, worker.Host{
		Unit: "case", Log: e.Log, Notify: e.notify, Methods: newKeptResults(e.Log).methods(worker.Methods{}),
		PutAside: func(id, why string) error { return fmt.Errorf("asking %s: %s", id, why) },
	})
	return r, decodeFailure(ctx, err)
}

// computeSelfTest is the handler of a judge's test.
func (e Env) computeSelfTest(ctx context.Context, job worker.Job, parent *worker.Client) (result []byte, err error) {
	var c selfTestJob
	if err := json.Unmarshal(job.Payload, &c); err != nil {
		return nil, fmt.Errorf("reading the job: %w", err)
	}
	doc, err := constitution.Parse(runstore.ConstitutionFile, c.Constitution)
	if err != nil {
		return nil, err
	}
	progress := newReporter(parent, "case")
	m, err := runner.Open(ctx, runner.Weights{Model: c.Model}, runner.DefaultCompute(), e.options(parent.Log(), c.Date))
	if err != nil {
		return nil, err
	}
	parent.AtEnd(m.Close)
	settings := feedback.Settings{Layout: feedback.LayoutFor(doc, 0), MinMass: DefaultMinMass}
	judge, err := feedback.New(ctx, m.Format(), doc, settings)
	if err != nil {
		return nil, failure.Input(err)
	}
	kind, err := m.Kind(runner.DefaultContext())
	if err != nil {
		return nil, err
	}
	progress.enter(Testing)
	pairs := examination{
		model: m, kind: kind, context: runner.DefaultContext(), judge: judge, document: doc, settings: settings, report: true, parent: parent,
	}
	verdicts := verdictExamination{pairs, feedback.LayoutFor(doc, 0) == feedback.ByPrinciple, func(shown *constitution.Document) (*revise.Loop, error) {
		l, err := revise.New(ctx, m.Format(), shown, revise.Settings{Think: m.ThinkTags()})
		return l, failure.Input(err)
	}}
	var out selfTested
	if out.Pairs, err = pairs.test(ctx); err != nil {
		return nil, err
	}
	if out.Verdicts, err = verdicts.test(ctx); err != nil {
		return nil, err
	}
	// As a run at its defaults asks: so that the results are its own.
	loop, err := revise.New(ctx, m.Format(), doc, revise.Settings{Rounds: 1, Demonstrations: revise.BeforeCritique, Think: m.ThinkTags()})
	if err != nil {
		return nil, failure.Input(err)
	}
	if out.Fit, err = (fitExamination{pairs, loop}).test(ctx); err != nil {
		return nil, err
	}
	reader := pairs
	reader.judge = feedback.NewReader(m.Format(), settings.MinMass)
	if out.Reading, err = (readingExamination{reader, loop}).test(ctx); err != nil {
		return nil, err
	}
	return json.Marshal(out)
}
