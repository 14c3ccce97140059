package app

import (
	"context"

	"amend/cmd/amend/internal/failure"
	"amend/constitution"
	"amend/engine/feedback"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/engine/selftest"
)

// openGate makes the gate of a run, nil where it has none.
func (c *runComputation) openGate(ctx context.Context) (*revise.Gate, error) {
	g := c.job.Config.Gate
	if !g.On {
		return nil, nil
	}
	judge, err := feedback.New(ctx, c.model.Format(), c.document, c.judging())
	if err != nil {
		return nil, failure.Input(err)
	}
	return &revise.Gate{Judge: judge, Tries: g.Tries, Margin: g.Margin, Veto: g.Veto}, nil
}

// openInspector makes what judges single responses, nil where nothing is asked of them.
func (c *runComputation) openInspector(ctx context.Context) (*revise.Verdicts, error) {
	if !c.job.Config.JudgesResponses() && !(c.job.Config.Gate.On && feedback.LayoutFor(c.document, 0) == feedback.ByPrinciple) {
		return nil, nil
	}
	judge, err := feedback.New(ctx, c.model.Format(), c.document, c.inspecting())
	if err != nil {
		return nil, failure.Input(err)
	}
	return &revise.Verdicts{Judge: judge}, nil
}

// inspecting is how single responses are judged.
func (c *runComputation) inspecting() feedback.Settings {
	return feedback.Settings{Layout: feedback.LayoutFor(c.document, 0), MinMass: c.job.Config.Gate.MinMass}
}

// judges are those of the run that show worked judgements of their own.
func (c *runComputation) judges() (out []*feedback.Judge) {
	if c.gate != nil {
		out = append(out, c.gate.Judge)
	}
	if c.inspector != nil {
		out = append(out, c.inspector.Judge)
	}
	return out
}

// judging is how the gate's judge is asked.
func (c *runComputation) judging() feedback.Settings {
	return feedback.Settings{Layout: feedback.OptionsFirst, Seed: c.job.Config.Seed, MinMass: c.job.Config.Gate.MinMass}
}

// testJudges has the judges answer known cases, before anything is written. A run that goes on has its judges, and the
// calibration of their verdicts.
func (c *runComputation) testJudges(ctx context.Context) (err error) {
	if c.previous != nil {
		c.learn(c.previous.Measured)
		return nil
	}
	if c.job.Plan || c.gate == nil && c.inspector == nil {
		return nil
	}
	c.progress.enter(Testing)
	kind, err := c.model.Kind(c.job.Config.Context)
	if err != nil {
		return err
	}
	judge := examination{
		model: c.model, kind: kind, context: c.job.Config.Context, document: c.document,
		untested: c.job.Config.Gate.Untested, parent: c.parent,
	}
	if c.gate != nil {
		judge.judge, judge.settings = c.gate.Judge, c.judging()
		if c.tested, err = judge.test(ctx); err != nil {
			return err
		}
	}
	if err := c.testVerdicts(ctx, judge); err != nil {
		return err
	}
	if c.inspector != nil {
		c.calibrate(c.verdicts)
	}
	return nil
}

// learn takes what a run found out on known cases.
func (c *runComputation) learn(m runstore.Measured) {
	if c.inspector != nil {
		c.calibrate(m.VerdictTest)
	}
	if c.settings.Fit != nil && m.FitTest != nil {
		*c.settings.Fit = m.FitTest.Calibration
	}
	if c.settings.Reading != nil && m.ReadingTest != nil {
		c.settings.Reading.Calibration = trusted(m.ReadingTest)
	}
}

// calibrate gives verdicts the meaning that known cases gave them.
func (c *runComputation) calibrate(t *selftest.VerdictResult) {
	if t != nil && t.Calibration != nil {
		c.inspector.Calibration = *t.Calibration
	}
}

// testVerdicts tests what single responses are judged by.
func (c *runComputation) testVerdicts(ctx context.Context, judge examination) (err error) {
	if c.inspector != nil {
		judge.judge, judge.settings = c.inspector.Judge, c.inspecting()
	}
	verdicts := verdictExamination{judge, c.inspector != nil, func(shown *constitution.Document) (*revise.Loop, error) { return c.openLoop(ctx, shown, 0) }}
	c.verdicts, err = verdicts.test(ctx)
	return err
}
