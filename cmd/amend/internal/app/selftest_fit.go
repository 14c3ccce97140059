package app

import (
	"context"
	"encoding/json"
	"fmt"

	"amend/constitution"
	"amend/engine"
	"amend/engine/feedback"
	"amend/engine/fit"
	"amend/engine/revise"
	"amend/engine/selftest"
)

// openFit makes what says how well principles fit, nil where they are not drawn by that. It says nothing before testFit.
func (c *runComputation) openFit() *fit.Calibration {
	r := c.job.Config
	if r.Draw != revise.Fitting || r.Revisions == 0 || c.server != nil || len(c.document.Principles) < 2 {
		return nil
	}
	return &fit.Calibration{}
}

// testFit finds out on known cases what the model says of principles is worth, and what is usual. A run that goes on has that. A model
// that tells nothing draws by weight alone.
func (c *runComputation) testFit(ctx context.Context) error {
	if c.settings.Fit == nil {
		return nil
	}
	if known := c.previous != nil && c.previous.Measured.FitTest != nil; known || c.job.Plan {
		return nil // testJudges has learnt it
	}
	kind, err := c.model.Kind(c.job.Config.Context)
	if err != nil {
		return err
	}
	c.progress.enter(Testing)
	x := examination{model: c.model, kind: kind, context: c.job.Config.Context, document: c.document, parent: c.parent}
	if c.fits, err = (fitExamination{x, c.loops[0]}).test(ctx); err != nil || c.fits == nil {
		return err
	}
	*c.settings.Fit = c.fits.Calibration
	return nil
}

// fitExamination is a model that is to be tested: whether it knows which principles known responses have to do with.
type fitExamination struct {
	examination
	loop *revise.Loop
}

// test asks the model, unless it was asked before. The result is nil where there are no cases.
func (x fitExamination) test(ctx context.Context) (*selftest.FitResult, error) {
	cases := selftest.FitsOf(x.document)
	log := x.parent.Log()
	if len(cases.Cases) == 0 {
		log.Warn("the constitution has no known cases (judgements with use: test): principles are drawn at random, since nothing says what fits", "constitution", x.document.Name)
		return nil, nil
	}
	questions, err := cases.Questions(ctx, func(ctx context.Context, c selftest.VerdictCase) (fit.Question, error) {
		return x.loop.FitQuestion(ctx, c.Prompt, c.Breaks)
	})
	if err != nil {
		return nil, err
	}
	key, err := x.key(questions)
	if err != nil {
		return nil, err
	}
	r, err := once(x.parent, keptTests, key, func() (r selftest.FitResult, err error) {
		err = x.withEngine(ctx, len(questions), fitNeed(questions), nil, func(e *engine.Engine) error {
			r, err = cases.Run(ctx, e, questions)
			return err
		})
		return r, err
	})
	if err != nil {
		return nil, err
	}
	switch {
	case x.report:
	case r.Verdict == selftest.Passed:
		log.Info("principles are drawn by how well they fit", "right", r.Right, "of", r.Agreed, "cases", r.Cases)
	default:
		log.Warn("principles are drawn at random: this model does not tell which ones fit: "+r.String(), "model", x.model.Info().Name)
	}
	return &r, nil
}

// fitNeed is what the questions can come to need.
func fitNeed(questions []fit.Question) (most feedback.Need) {
	for _, q := range questions {
		most = most.With(feedback.Need{Tokens: q.Longest(), Unshared: q.Longest()})
	}
	return most
}

// key names everything that the result depends on.
func (x fitExamination) key(questions []fit.Question) (string, error) {
	var ids []string
	for _, p := range x.document.Principles {
		ids = append(ids, p.ID)
	}
	text, err := json.Marshal(struct {
		Environment string
		Principles  []string
		Known       []string
		Questions   []fit.Question
	}{x.model.Environment(x.kind), ids, knownPrinciples(x.document), questions})
	if err != nil {
		return "", fmt.Errorf("naming a test of which principles fit: %w", err)
	}
	return nameOfTest(text), nil
}

// knownPrinciples are those of the known cases.
func knownPrinciples(doc *constitution.Document) (ids []string) {
	for _, c := range selftest.FitsOf(doc).Cases {
		ids = append(ids, c.Principle.ID)
	}
	return ids
}
