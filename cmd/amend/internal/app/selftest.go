package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/worker"
	"amend/constitution"
	"amend/engine"
	"amend/engine/feedback"
	"amend/engine/selftest"
)

// examination is a judge that is to be tested.
type examination struct {
	model    *runner.Model
	kind     runner.ContextPlan
	context  runner.ContextConfig
	judge    *feedback.Judge
	document *constitution.Document
	settings feedback.Settings
	untested bool // it is trusted also where it fails
	report   bool // the result is all that is wanted: nothing is to be judged
	parent   *worker.Client
}

// test has the judge answer its constitution's known cases, unless it did so before. A judge that fails is an error, unless
// it is to be trusted untested. The result is nil where there are no cases.
func (x examination) test(ctx context.Context) (*selftest.Result, error) {
	cases := selftest.Of(x.document)
	if len(cases) == 0 {
		x.parent.Log().Warn("the constitution has no known cases (judgements with use: test): nothing says whether this judge can be trusted under it",
			"constitution", x.document.Name, "judge", x.model.Info().Name)
		return nil, nil
	}
	key, err := x.key(cases)
	if err != nil {
		return nil, err
	}
	r, err := once(x.parent, keptTests, key, func() (selftest.Result, error) { return x.run(ctx, cases) })
	if err != nil {
		return nil, err
	}
	return &r, x.decide("judge", r.Score, r)
}

// decide says whether the judge may judge. what is tested: the judge, or its verdicts.
func (x examination) decide(what string, s selftest.Score, figures fmt.Stringer) error {
	log, name := x.parent.Log(), x.model.Info().Name
	switch {
	case x.report:
	case s.Verdict == selftest.Passed:
		log.Info("the "+what+" passed its test", "right", s.Right, "of", s.Agreed, "cases", s.Cases)
	case s.Verdict == selftest.TooFew:
		log.Warn("too few known cases to test the "+what, "cases", s.Of, "right", s.Right, "of", s.Agreed)
	case x.untested:
		log.Warn("the "+what+" failed its test, and is trusted all the same (untested): "+figures.String(), "judge", name)
	default:
		return &failure.FieldError{Field: "untested", Want: fmt.Sprintf("must be given to trust this judge, or another judge: as a %s %s does not do better than guessing under %s: %s",
			what, name, x.document.Name, figures)}
	}
	return nil
}

// key names everything that the result depends on.
func (x examination) key(cases selftest.Cases) (string, error) {
	asked := x.settings
	if asked.Principles = 0; asked.Reasonings == 0 { // a case has its own principle, and nothing is drawn
		asked = feedback.Settings{Layout: asked.Layout, MinMass: asked.MinMass}
	}
	text, err := json.Marshal(struct {
		Environment, Template, Document string
		Settings                        feedback.Settings
		Shown                           []engine.Token // the hash of a document says nothing of what is shown
		Cases                           selftest.Cases
	}{x.model.Environment(x.kind), x.model.TemplateSHA256(), x.document.Hash(), asked, x.judge.Prefix(), cases})
	if err != nil {
		return "", fmt.Errorf("naming a judge's test: %w", err)
	}
	return nameOfTest(text), nil
}

// nameOfTest names a test by everything that its result depends on.
func nameOfTest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// run asks the cases in a context of their own.
func (x examination) run(ctx context.Context, cases selftest.Cases) (r selftest.Result, err error) {
	need, err := cases.Need(ctx, x.judge)
	if err != nil {
		return r, err
	}
	err = x.withEngine(ctx, len(cases), need, x.judge.Prefix(), func(e *engine.Engine) error {
		r, err = cases.Run(ctx, x.judge, e)
		return err
	})
	return r, err
}

// withEngine gives an engine with room for the cases, and on which a preamble is computed.
func (x examination) withEngine(ctx context.Context, cases int, need feedback.Need, preamble []engine.Token, use func(*engine.Engine) error) (err error) {
	d, err := x.model.Requirements(x.context)
	if err != nil {
		return err
	}
	d.Context = 0 // --ctx is of rows
	d.Rows, d.Preamble, d.Need, d.Unshared = 2*cases, len(preamble), max(need.Tokens, len(preamble)+1), need.Unshared
	if d.AttachFrom, err = x.model.AttachFrom(x.kind); err != nil {
		return err
	}
	size, err := x.model.Plan(d, x.kind)
	if err != nil {
		return err
	}
	b, err := x.model.NewContext(size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	e, err := x.model.EngineOver(b, x.context.PreambleCache, engine.Config{})
	if err != nil {
		return err
	}
	x.parent.Log().Info("testing with known cases", "model", x.model.Info().Name, "constitution", x.document.Name, "cases", cases)
	if err := e.Pin(ctx, preamble); err != nil {
		return fmt.Errorf("computing the judge's preamble: %w", err)
	}
	return use(e)
}
