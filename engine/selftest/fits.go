package selftest

import (
	"context"
	"fmt"
	"slices"

	"amend/constitution"
	"amend/engine"
	"amend/engine/fit"
)

// FitResult is what a model made of the question which principle a known response breaks (package fit).
type FitResult struct {
	// Score counts as agreed every case that was asked, and as right those in which the principle that is broken fits better than
	// half of the others.
	Score
	// Calibration is of the cases that were asked. Each case is judged by one that was made of the others.
	Calibration fit.Calibration `json:"calibration"`
}

// String gives the figures in a sentence.
func (r FitResult) String() string {
	return fmt.Sprintf("of %d known cases it finds the principle that is broken to fit better than half of the others in %d (p = %.2g by guessing; it must be below %.2g)",
		r.Agreed, r.Right, r.P, r.look().pass)
}

// Fits are the known cases of a constitution for how well principles fit, in the order in which they are asked.
type Fits struct {
	Cases      []VerdictCase
	Principles []constitution.Principle // all of the constitution, in its order
}

// FitsOf returns the cases of a constitution: the response of each judgement that breaks its principle.
func FitsOf(doc *constitution.Document) Fits {
	return Fits{broken(doc), doc.Principles}
}

// FitAsker writes down the question about the response of a case that breaks its principle.
type FitAsker func(ctx context.Context, c VerdictCase) (fit.Question, error)

// Questions writes all questions down, in the order of the cases.
func (f Fits) Questions(ctx context.Context, ask FitAsker) (out []fit.Question, err error) {
	for _, c := range f.Cases {
		q, err := ask(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		out = append(out, q)
	}
	return out, nil
}

// Run scores the questions on an engine, until it is known how the model does.
func (f Fits) Run(ctx context.Context, e *engine.Engine, questions []fit.Question) (FitResult, error) {
	r := FitResult{Score: Score{Of: len(f.Cases)}}
	var scores [][]float64
	for _, n := range parts(len(f.Cases)) {
		part, err := score(ctx, e, questions[len(scores):n])
		if err != nil {
			return r, err
		}
		scores = append(scores, part...)
		if r.judge(f, scores); r.settle() {
			break
		}
	}
	if r.Verdict != Passed {
		r.Calibration.Sharpness = 0 // what it says is noise
	}
	return r, nil
}

// score returns the log-probabilities of titles in each question.
func score(ctx context.Context, e *engine.Engine, questions []fit.Question) ([][]float64, error) {
	out := make([][]float64, len(questions))
	var failed error
	for i, q := range questions {
		err := e.Score(&engine.Score{Tokens: q.Tokens, Options: q.Titles, Done: func(s engine.Scores) {
			if out[i] = fit.Sum(s.LogProbs); s.Err != nil {
				failed = fmt.Errorf("asking which principle known response %d breaks: %w", i+1, s.Err)
			}
		}})
		if err != nil {
			return nil, err
		}
	}
	err := e.Run(ctx)
	if failed != nil {
		return nil, failed
	}
	return out, err
}

// judge counts the cases that were asked, each with what the others say is usual, and calibrates by all of them.
func (r *FitResult) judge(f Fits, scores [][]float64) {
	*r = FitResult{Score: Score{Of: r.Of}}
	var lifts [][]float64
	var known []int
	for i, s := range scores {
		by, lift := base(f.Principles, slices.Concat(scores[:i], scores[i+1:])), make([]float64, len(s))
		for k, p := range f.Principles {
			lift[k] = by.Lift(p.ID, s[k])
		}
		at := slices.IndexFunc(f.Principles, func(p constitution.Principle) bool { return p.ID == f.Cases[i].Principle.ID })
		lifts, known = append(lifts, lift), append(known, at)
		r.Cases++
		r.Agreed++
		if below(lift, lift[at])*2 > len(lift)-1 {
			r.Right++
		}
	}
	r.Calibration = base(f.Principles, scores)
	r.Calibration.Sharpness = fit.Sharpen(lifts, known)
}

// base is the mean score of each title.
func base(principles []constitution.Principle, scores [][]float64) fit.Calibration {
	c := fit.Calibration{Base: map[string]float64{}}
	for k, p := range principles {
		for _, s := range scores {
			c.Base[p.ID] += s[k] / float64(len(scores))
		}
	}
	return c
}

// below is how many values are below x.
func below(values []float64, x float64) (n int) {
	for _, v := range values {
		if v < x {
			n++
		}
	}
	return n
}
