package app

import (
	"context"
	"encoding/json"
	"fmt"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/revise"
	"amend/engine/selftest"
)

// openReading makes what reads critiques, nil where nothing is asked of them. It says nothing before testReading.
func (c *runComputation) openReading() *revise.Reading {
	r := c.job.Config
	if r.Revise != revise.Found || !r.Critique || r.Gate.On || r.Revisions == 0 || c.server != nil {
		return nil
	}
	return &revise.Reading{Judge: feedback.NewReader(c.format, r.Gate.MinMass)}
}

// testReading finds out on known critiques whether the model understands what they find. A run that goes on has that. A model that does
// not understand them revises every draft that does not decline.
func (c *runComputation) testReading(ctx context.Context) error {
	reading := c.settings.Reading
	if reading == nil {
		return nil
	}
	if known := c.previous != nil && c.previous.Measured.ReadingTest != nil; known || c.job.Plan {
		return nil // testJudges has learnt it
	}
	kind, err := c.model.Kind(c.job.Config.Context)
	if err != nil {
		return err
	}
	c.progress.enter(Testing)
	x := readingExamination{
		examination{model: c.model, kind: kind, context: c.job.Config.Context, judge: reading.Judge, document: c.document, parent: c.parent, settings: feedback.Settings{MinMass: c.job.Config.Gate.MinMass}},
		c.loops[0],
	}
	if c.reading, err = x.test(ctx); err != nil || c.reading == nil {
		return err
	}
	reading.Calibration = trusted(c.reading)
	return nil
}

// trusted is what verdicts on critiques mean: nothing, where they failed their test.
func trusted(r *selftest.VerdictResult) feedback.Calibration {
	if r.Verdict != selftest.Passed || r.Calibration == nil {
		return feedback.Calibration{}
	}
	return *r.Calibration
}

// readingExamination is a model that is to be tested: whether it understands what critiques find.
type readingExamination struct {
	examination
	loop *revise.Loop
}

// test has the model read known critiques, unless it did so before. The result is nil where the constitution is not in their
// language.
func (x readingExamination) test(ctx context.Context) (*selftest.VerdictResult, error) {
	log := x.parent.Log()
	if l := x.document.Language; l != "" && !constitution.SameLanguage(l, "en") {
		log.Warn("drafts are revised whatever their critiques find: whether a model understands critiques can be tested in English alone", "constitution", x.document.Name, "language", x.document.Language)
		return nil, nil
	}
	cases := selftest.Critiques()
	key, err := x.key(cases)
	if err != nil {
		return nil, err
	}
	r, err := once(x.parent, keptTests, key, func() (r selftest.VerdictResult, err error) {
		need, err := cases.Need(ctx, x.open)
		if err != nil {
			return r, err
		}
		err = x.withEngine(ctx, len(cases), need, x.loop.Prefix(), func(e *engine.Engine) error {
			r, err = cases.Run(ctx, x.judge, e, x.open, true)
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
		log.Info("a draft is revised where its critique finds something", "right", r.Right, "of", r.Agreed, "known critiques", 2*r.Cases)
	default:
		log.Warn("drafts are revised whatever their critiques find: this model does not understand what critiques find: "+r.String(), "model", x.model.Info().Name)
	}
	return &r, nil
}

// open writes the question about a known critique down.
func (x readingExamination) open(ctx context.Context, c selftest.VerdictCase, critique string) (*chat.Conversation, error) {
	response := c.Criticised[0]
	if critique == c.Breaks {
		response = c.Criticised[1]
	}
	return x.loop.VerdictOnCritique(ctx, c.Prompt, response, c.Principle.CritiqueRequest, critique)
}

// key names everything that the result depends on.
func (x readingExamination) key(cases selftest.Verdicts) (string, error) {
	text, err := json.Marshal(struct {
		Environment, Template, Request string
		MinMass                        float64
		Shown                          []engine.Token
		Cases                          selftest.Verdicts
	}{x.model.Environment(x.kind), x.model.TemplateSHA256(), feedback.FoundRequest, x.settings.MinMass, x.loop.Prefix(), cases})
	if err != nil {
		return "", fmt.Errorf("naming a test of reading critiques: %w", err)
	}
	return nameOfTest(text), nil
}
