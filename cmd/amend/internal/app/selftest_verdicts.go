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

// verdictExamination is a judge whose verdicts are to be tested, as a loop with a gate asks for them.
type verdictExamination struct {
	examination
	// calibrated says that verdicts are compared with their principle's base rate.
	calibrated bool
	// loop makes a loop that shows the demonstrations of a document.
	loop func(shown *constitution.Document) (*revise.Loop, error)
}

// test has the judge say of known responses whether they are clean, unless it did so before. One whose verdicts fail is an error,
// unless it is to be trusted untested. The result is nil where there are no cases.
func (x verdictExamination) test(ctx context.Context) (*selftest.VerdictResult, error) {
	cases := selftest.VerdictsOf(x.document)
	if len(cases) == 0 {
		return nil, nil // testing the judge has said so
	}
	all, err := x.loop(x.document)
	if err != nil {
		return nil, err
	}
	shown := all.Prefix()
	if cases[0].Alone() { // one is where all are
		shown = x.judge.Prefix()
	}
	key, err := x.key(cases, shown)
	if err != nil {
		return nil, err
	}
	r, err := once(x.parent, keptTests, key, func() (r selftest.VerdictResult, err error) {
		open := x.opener(all)
		need, err := cases.Need(ctx, open)
		if err != nil {
			return r, err
		}
		err = x.withEngine(ctx, len(cases), need, shown, func(e *engine.Engine) error {
			r, err = cases.Run(ctx, x.judge, e, open, x.calibrated)
			return err
		})
		return r, err
	})
	if err != nil {
		return nil, err
	}
	return &r, x.decide("judge of single responses", r.Score, r)
}

// opener writes verdicts down. Where a demonstration is the case, a loop without it does.
func (x verdictExamination) opener(all *revise.Loop) selftest.Opener {
	without := map[int]*revise.Loop{-1: all}
	return func(ctx context.Context, c selftest.VerdictCase, response string) (*chat.Conversation, error) {
		l := without[c.Demonstration]
		if l == nil {
			var err error
			if l, err = x.loop(x.document.WithoutDemonstration(c.Demonstration)); err != nil {
				return nil, err
			}
			without[c.Demonstration] = l
		}
		return l.VerdictOn(ctx, x.judge, c.Prompt, response, c.Principle)
	}
}

// key names everything that the result depends on.
func (x verdictExamination) key(cases selftest.Verdicts, shown []engine.Token) (string, error) {
	text, err := json.Marshal(struct {
		Environment, Template, Request string
		MinMass                        float64
		Calibrated                     bool
		Shown                          []engine.Token
		Cases                          selftest.Verdicts
	}{x.model.Environment(x.kind), x.model.TemplateSHA256(), feedback.VerdictRequest("…"), x.settings.MinMass, x.calibrated, shown, cases})
	if err != nil {
		return "", fmt.Errorf("naming a test of verdicts: %w", err)
	}
	return nameOfTest(text), nil
}
