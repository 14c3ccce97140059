package selftest

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/feedback"
)

// VerdictResult is what verdicts made of known cases: of two responses to a prompt, one keeps to a principle, and one breaks it.
type VerdictResult struct {
	Score
	// Clean are the verdicts, of 2·Cases, that call a response clean: half of them are.
	Clean int `json:"clean"`
}

// String gives the figures in a sentence.
func (r VerdictResult) String() string {
	return fmt.Sprintf("of %d known cases it tells the two responses apart in %d, and is right in %d of these (p = %.2g by guessing; it must be below %.2g); it calls %d of %d responses clean",
		r.Cases, r.Agreed, r.Right, r.P, r.look().pass, r.Clean, 2*r.Cases)
}

// Verdicts are the known cases of a constitution for verdicts, in the order in which they are asked.
type Verdicts []VerdictCase

// VerdictCase is a prompt with two responses, of which one keeps to a principle, and one breaks it.
type VerdictCase struct {
	Name      string // for errors
	Prompt    string
	Principle constitution.Principle
	Keeps     string
	Breaks    string
	// Demonstration is the place of the demonstration that the case is made of; −1 for a judgement. Where it is asked, it is not shown:
	// the answer would stand above the question.
	Demonstration int
}

// VerdictsOf returns the cases of a constitution: those of Of, with the demonstrations last, each of which needs a preamble of its own.
func VerdictsOf(doc *constitution.Document) (out Verdicts) {
	known := judgements(doc)
	slices.SortFunc(known, func(a, b Case) int { return cmp.Compare(place(a), place(b)) })
	for _, c := range known {
		v := VerdictCase{Name: c.Pair.ID, Prompt: c.Pair.Messages[0].Text, Principle: c.Principle, Keeps: c.Pair.First, Breaks: c.Pair.Second, Demonstration: -1}
		if c.Pair.Better == feedback.Second {
			v.Keeps, v.Breaks = v.Breaks, v.Keeps
		}
		out = append(out, v)
	}
	for i, d := range doc.Demonstrations {
		if p, ok := doc.Principle(d.Principle); ok && !clean(d) {
			out = append(out, VerdictCase{fmt.Sprintf("demonstration %d", i+1), d.Prompt, p, d.Revision, d.Response, i})
		}
	}
	return out
}

// Opener writes a verdict down: the conversation that ends with the question whether a response to a case's prompt keeps to its
// principle.
type Opener func(ctx context.Context, c VerdictCase, response string) (*chat.Conversation, error)

// Need is what the cases can come to need. A case that is a demonstration does not begin as the others do.
func (v Verdicts) Need(ctx context.Context, open Opener) (most feedback.Need, err error) {
	for _, c := range v {
		for _, response := range []string{c.Keeps, c.Breaks} {
			asked, err := open(ctx, c, response)
			if err == nil {
				asked, err = asked.Answer()
			}
			if err != nil {
				return most, fmt.Errorf("%s: %w", c.Name, err)
			}
			one := feedback.Need{Tokens: len(asked.Tokens) + feedback.VerdictTokens}
			if c.Demonstration >= 0 {
				one.Unshared = one.Tokens
			}
			most = most.With(one)
		}
	}
	return most, nil
}

// Run asks for a verdict on either response of the cases, until it is known how the judge does. Its errors are those of the
// engine, and of a case that cannot be asked.
func (v Verdicts) Run(ctx context.Context, j *feedback.Judge, e *engine.Engine, open Opener) (VerdictResult, error) {
	r := VerdictResult{Score: Score{Of: len(v)}}
	for _, n := range parts(len(v)) {
		said, err := v[r.Cases:n].ask(ctx, j, e, open)
		if err != nil {
			return r, err
		}
		for _, s := range said {
			r.add(s[0], s[1])
		}
		if r.settle() {
			break
		}
	}
	return r, nil
}

// ask has the judge say whether the responses of each case are clean: the one that keeps to the principle, and the one that breaks it.
func (v Verdicts) ask(ctx context.Context, j *feedback.Judge, e *engine.Engine, open Opener) (said [][2]feedback.Verdict, err error) {
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	var failed error
	s := j.Start(running, e, func() bool { return failed != nil || running.Err() != nil }, func(err error) {
		failed = cmp.Or(failed, err)
		cancel()
	})
	said = make([][2]feedback.Verdict, len(v))
	for i, c := range v {
		for k, response := range []string{c.Keeps, c.Breaks} {
			asked, err := open(running, c, response)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			s.Verdict(asked, func(v feedback.Verdict, err error) {
				if said[i][k] = v; err != nil {
					failed = cmp.Or(failed, fmt.Errorf("asking %s, %q: %w", c.Name, c.Prompt, err))
				}
			})
		}
	}
	err = e.Run(running)
	if failed != nil {
		return nil, failed
	}
	return said, err
}

// add counts the verdicts on a case.
func (r *VerdictResult) add(keeps, breaks feedback.Verdict) {
	r.Cases++
	for _, v := range []feedback.Verdict{keeps, breaks} {
		switch {
		case v.Invalid:
			r.Invalid++
		case v.Clean():
			r.Clean++
		}
	}
	if keeps.Invalid || breaks.Invalid || keeps.Clean() == breaks.Clean() {
		return
	}
	r.Agreed++
	if keeps.Clean() {
		r.Right++
	}
}
