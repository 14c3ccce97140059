package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"amend/cmd/amend/internal/failure"
	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/revise"
	"amend/engine/selftest"
)

// critiqueExamination is a critic that is to be tested: whether what it says of its own critiques tells known responses apart.
// It writes them as the run does.
type critiqueExamination struct {
	examination
	loop revise.Settings
}

// test has the critic criticise known responses and say whether it found something, unless it did so before. One that fails is
// an error, unless it is to be trusted untested. The result is nil where there are no cases.
func (x critiqueExamination) test(ctx context.Context, shown *constitution.Document) (*selftest.VerdictResult, error) {
	cases := selftest.CritiquesOf(x.document)
	if len(cases) == 0 {
		x.parent.Log().Warn("the constitution has no known cases (judgements with use: test): nothing says whether critiques can be trusted under it",
			"constitution", x.document.Name, "critic", x.model.Info().Name)
		return nil, nil
	}
	loop, err := x.newLoop(ctx, shown)
	if err != nil {
		return nil, err
	}
	key, err := x.key(cases, loop.Prefix())
	if err != nil {
		return nil, err
	}
	r, err := once(x.parent, keptTests, key, func() (r selftest.VerdictResult, err error) {
		need, err := x.need(ctx, loop, cases)
		if err != nil {
			return r, err
		}
		err = x.withEngine(ctx, len(cases), need, loop.Prefix(), func(e *engine.Engine) error {
			r, err = cases.Examine(true, func(part selftest.Verdicts) ([][2]feedback.Verdict, error) { return criticise(ctx, loop, e, part) })
			return err
		})
		return r, err
	})
	if err != nil {
		return nil, err
	}
	return &r, x.decide("judge of critiques", r.Score, r)
}

// newLoop makes a loop in which a row is criticised under the principle that it has as a tag, and never revised.
func (x critiqueExamination) newLoop(ctx context.Context, shown *constitution.Document) (*revise.Loop, error) {
	doc := *shown
	doc.Principles = slices.Clone(doc.Principles)
	for i := range doc.Principles {
		doc.Principles[i].Applies = constitution.Applies{PromptTags: []string{doc.Principles[i].ID}}
	}
	s := x.loop
	s.Rounds, s.Tries, s.Draw, s.Revise, s.Gate = 1, 0, revise.Random, revise.Found, nil
	s.Verdicts = &revise.Verdicts{Judge: x.judge, OfCritiques: feedback.Calibration{Slope: 1, Offset: -1e6}} // all found clean
	l, err := revise.New(ctx, x.model.Format(), &doc, s)
	return l, failure.Input(err)
}

// caseRows are the rows of cases: the response that keeps to the principle, and the one that breaks it.
func caseRows(cases selftest.Verdicts) (rows []revise.Row) {
	for _, c := range cases {
		for i, response := range []string{c.Keeps, c.Breaks} {
			rows = append(rows, revise.Row{
				ID: fmt.Sprintf("%s, %d", c.Name, i), Index: len(rows), Messages: []chat.Message{{Role: chat.User, Text: c.Prompt}},
				Response: &response, Attributes: constitution.Attributes{Tags: []string{c.Principle.ID}},
			})
		}
	}
	return rows
}

// need is what the cases can come to need.
func (x critiqueExamination) need(ctx context.Context, l *revise.Loop, cases selftest.Verdicts) (most feedback.Need, err error) {
	for _, row := range caseRows(cases) {
		n, err := l.Need(ctx, row)
		if err != nil {
			return most, fmt.Errorf("%s: %w", row.ID, err)
		}
		most = most.With(feedback.Need{Tokens: n.Tokens, Unshared: n.Unshared})
	}
	return most, nil
}

// criticise has the responses of cases criticised, and returns what was said of the critiques.
func criticise(ctx context.Context, l *revise.Loop, e *engine.Engine, cases selftest.Verdicts) ([][2]feedback.Verdict, error) {
	rows, said := caseRows(cases), make([][2]feedback.Verdict, len(cases))
	err := l.Run(ctx, e, len(rows), revise.Rows(rows), func(rec revise.Record) error {
		if rec.Error != "" {
			return fmt.Errorf("%s: %w", rec.ID, errors.New(rec.Error))
		}
		v := &said[rec.Index/2][rec.Index%2]
		v.Invalid = true
		for _, verdict := range rec.Gated.Verdicts {
			*v = verdict.Verdict
		}
		return nil
	})
	return said, err
}

// key names everything that the result depends on.
func (x critiqueExamination) key(cases selftest.Verdicts, shown []engine.Token) (string, error) {
	s := x.loop
	text, err := json.Marshal(struct {
		Environment, Template, Request, Grammar string
		MinMass                                 float64
		Limit                                   int
		Sampling                                string
		Shown                                   []engine.Token
		Cases                                   selftest.Verdicts
	}{
		x.model.Environment(x.kind), x.model.TemplateSHA256(), feedback.FoundRequest, s.CritiqueGrammarName, x.settings.MinMass, s.Limit(revise.Critique),
		fmt.Sprint(s.SamplingOf(revise.Critique)), shown, cases,
	})
	if err != nil {
		return "", fmt.Errorf("naming a test of critiques: %w", err)
	}
	return nameOfTest(text), nil
}
