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
	// Calibration is of all cases that were asked, where verdicts are calibrated. Each case is judged by one that was made of
	// the others.
	Calibration *feedback.Calibration `json:"calibration,omitempty"`
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
	// Demonstration is the place of the demonstration that the case is made of, where demonstrations are shown; else −1. Where it
	// is asked, it is not shown: the answer would stand above the question.
	Demonstration int
	// Criticised are the responses that Keeps and Breaks are critiques of, where the verdict is on critiques: Keeps finds nothing.
	Criticised *[2]string
}

// Alone reports whether the response is shown alone (feedback.Judge.Single). Else it is part of the loop's conversation.
func (c VerdictCase) Alone() bool { return c.Principle.VerdictRequest != "" }

func (c VerdictCase) question() feedback.Question {
	switch {
	case c.Criticised != nil:
		return feedback.NothingFound
	case c.Alone():
		return feedback.Kept
	default:
		return feedback.InAWord
	}
}

// VerdictsOf returns the cases of a constitution. Where principles have verdict requests, they are all those of Of under such
// principles. Else they are those of Of, with the demonstrations last, each of which needs a preamble of its own.
func VerdictsOf(doc *constitution.Document) (out Verdicts) {
	if feedback.LayoutFor(doc, 0) == feedback.ByPrinciple {
		for _, c := range Of(doc) {
			if v := verdictCase(c); v.Alone() {
				out = append(out, v)
			}
		}
		return out
	}
	known := judgements(doc)
	slices.SortFunc(known, func(a, b Case) int { return cmp.Compare(place(a), place(b)) })
	for _, c := range known {
		out = append(out, verdictCase(c))
	}
	for i, d := range doc.Demonstrations {
		if p, ok := doc.Principle(d.Principle); ok && !clean(d) {
			out = append(out, VerdictCase{fmt.Sprintf("demonstration %d", i+1), d.Prompt, p, d.Revision, d.Response, i, nil})
		}
	}
	return out
}

// broken are the judgements of a constitution, each with the response that breaks its principle.
func broken(doc *constitution.Document) (out []VerdictCase) {
	known := judgements(doc)
	slices.SortFunc(known, func(a, b Case) int { return cmp.Compare(place(a), place(b)) })
	for _, c := range known {
		out = append(out, verdictCase(c))
	}
	return out
}

// Critiques are known critiques in English, for verdicts on whether a critique finds something. They belong to no constitution:
// what is tested is whether they are understood.
func Critiques() (out Verdicts) {
	for i, k := range knownCritiques() {
		out = append(out, VerdictCase{
			Name: fmt.Sprintf("critique %d", i+1), Prompt: k.Prompt, Principle: constitution.Principle{CritiqueRequest: k.Request},
			Keeps: k.Nothing, Breaks: k.Something, Demonstration: -1, Criticised: &[2]string{k.Fine, k.Bad},
		})
	}
	return out
}

func verdictCase(c Case) VerdictCase {
	v := VerdictCase{Name: c.Pair.ID, Prompt: c.Pair.Messages[0].Text, Principle: c.Principle, Keeps: c.Pair.First, Breaks: c.Pair.Second, Demonstration: -1}
	if c.Pair.Better == feedback.Second {
		v.Keeps, v.Breaks = v.Breaks, v.Keeps
	}
	return v
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
// engine, and of a case that cannot be asked. calibrated says that a verdict will be compared with its principle's base rate;
// else the likelier answer is the verdict.
func (v Verdicts) Run(ctx context.Context, j *feedback.Judge, e *engine.Engine, open Opener, calibrated bool) (VerdictResult, error) {
	return v.Examine(calibrated, func(part Verdicts) ([][2]feedback.Verdict, error) { return part.ask(ctx, j, e, open) })
}

// Examine has ask give the verdicts on some cases, on the response that keeps to the principle and on the one that breaks it,
// until it is known how the judge does.
func (v Verdicts) Examine(calibrated bool, ask func(part Verdicts) ([][2]feedback.Verdict, error)) (VerdictResult, error) {
	r := VerdictResult{Score: Score{Of: len(v)}}
	var known []told
	for _, n := range parts(len(v)) {
		said, err := ask(v[len(known):n])
		if err != nil {
			return r, err
		}
		for _, s := range said {
			known = append(known, told{v[len(known)].Principle.ID, s[0], s[1]})
		}
		if r.judge(known, calibrated); r.settle() {
			break
		}
	}
	return r, nil
}

// judge counts the cases; if calibrated, each with its verdicts calibrated by the others.
func (r *VerdictResult) judge(known []told, calibrated bool) {
	*r = VerdictResult{Score: Score{Of: r.Of}}
	if !calibrated {
		for _, t := range known {
			r.add(t.keeps, t.breaks)
		}
		return
	}
	for i, t := range known {
		by := calibrate(slices.Concat(known[:i], known[i+1:]))
		for _, v := range []*feedback.Verdict{&t.keeps, &t.breaks} {
			v.P = 1 - by.Breach(t.principle, *v)
		}
		r.add(t.keeps, t.breaks)
	}
	all := calibrate(known)
	r.Calibration = &all
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
			s.Verdict(asked, c.question(), func(v feedback.Verdict, err error) {
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
