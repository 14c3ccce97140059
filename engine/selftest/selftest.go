// Package selftest asks a judge cases whose answer is known, before anything it says is trusted: the judgements of a
// constitution that are there for that, and its demonstrations. A judge that does no better than guessing is no judge.
package selftest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/compare"
	"amend/engine/feedback"
)

// Result is what a judge made of known pairs, each asked in both orders.
type Result struct {
	Score
	// Alone are the cases whose responses were judged one by one. Both answers are one comparison then, and always go together.
	Alone int `json:"alone,omitempty"`
	// PrefersA are the answers, of 2·Cases, that prefer what is shown first.
	PrefersA int `json:"prefers_a"`
}

// String gives the figures in a sentence.
func (r Result) String() string {
	if r.Alone > 0 {
		return fmt.Sprintf("of %d known cases, in %d of which it sees one response at a time, it prefers one in %d, and is right in %d of these (p = %.2g by guessing; it must be below %.2g)",
			r.Cases, r.Alone, r.Agreed, r.Right, r.P, r.look().pass)
	}
	return fmt.Sprintf("of %d known cases it gives %d the same answer in both orders, and is right in %d of these (p = %.2g by guessing; it must be below %.2g)",
		r.Cases, r.Agreed, r.Right, r.P, r.look().pass)
}

// Cases are the known cases of a constitution, in the order in which they are asked: the first ones are of all kinds.
type Cases []Case

// Case is a pair of which one answer keeps better to a principle.
type Case struct {
	Pair      feedback.Pair
	Principle constitution.Principle
}

// Of returns the cases of a constitution: its judgements with use: test, and its demonstrations, whose revision is better than
// their response. A judge is shown neither.
func Of(doc *constitution.Document) Cases {
	out := append(judgements(doc), demonstrations(doc)...)
	slices.SortFunc(out, func(a, b Case) int { return cmp.Compare(place(a), place(b)) })
	return out
}

func judgements(doc *constitution.Document) (out Cases) {
	for i, j := range doc.Tested() {
		p, ok := doc.Principle(j.Principle)
		if !ok {
			continue // Tested has none of these
		}
		better := feedback.First
		if j.Better == constitution.SideB {
			better = feedback.Second
		}
		out = append(out, Case{
			Pair:      feedback.Pair{ID: fmt.Sprintf("case %d", i+1), Index: i, Messages: []chat.Message{{Role: chat.User, Text: j.Prompt}}, First: j.A, Second: j.B, Better: better},
			Principle: p,
		})
	}
	return out
}

// demonstrations are those that change their response, the better one as often first as second.
func demonstrations(doc *constitution.Document) (out Cases) {
	for i, d := range doc.Demonstrations {
		p, ok := doc.Principle(d.Principle)
		if !ok || clean(d) {
			continue
		}
		pair := feedback.Pair{
			ID: fmt.Sprintf("demonstration %d", i+1), Messages: []chat.Message{{Role: chat.User, Text: d.Prompt}},
			First: d.Response, Second: d.Revision, Better: feedback.Second,
		}
		if len(out)%2 == 0 {
			pair.First, pair.Second, pair.Better = pair.Second, pair.First, feedback.First
		}
		out = append(out, Case{pair, p})
	}
	return out
}

// clean reports whether a demonstration's response was found in order: its revision has nearly all of its words.
func clean(d constitution.Demonstration) bool { return compare.Kept(d.Response, d.Revision) > 0.9 }

// place is where a case stands: by its text, so that a document's order, which goes by principle, is of no account.
func place(c Case) string {
	sum := sha256.Sum256([]byte(c.Pair.Messages[0].Text))
	return string(sum[:])
}

// Need is what the cases can come to need.
func (c Cases) Need(ctx context.Context, j *feedback.Judge) (most feedback.Need, err error) {
	for _, one := range c {
		n, err := j.NeedUnder(ctx, one.Pair, []constitution.Principle{one.Principle})
		if err != nil {
			return most, err
		}
		most = most.With(n)
	}
	return most, nil
}

// Run asks the judge the cases on an engine, until it is known how it does. Its errors are those of the engine, and of a case
// that cannot be asked.
func (c Cases) Run(ctx context.Context, j *feedback.Judge, e *engine.Engine) (Result, error) {
	r := Result{Score: Score{Of: len(c)}}
	for _, n := range parts(len(c)) {
		part := c[r.Cases:n]
		labels, err := part.ask(ctx, j, e)
		if err != nil {
			return r, err
		}
		for i, l := range labels {
			r.add(part[i].Pair, l)
		}
		if r.settle() {
			break
		}
	}
	return r, nil
}

// ask has the judge say which answer of each case is better.
func (c Cases) ask(ctx context.Context, j *feedback.Judge, e *engine.Engine) ([]feedback.Label, error) {
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	var failed error
	s := j.Start(running, e, func() bool { return failed != nil || running.Err() != nil }, func(err error) {
		failed = cmp.Or(failed, err)
		cancel()
	})
	labels := make([]feedback.Label, len(c))
	for i, one := range c {
		s.Judge(one.Pair, []constitution.Principle{one.Principle}, func(l feedback.Label, _ feedback.Cost) {
			if labels[i] = l; l.Error != "" {
				failed = cmp.Or(failed, fmt.Errorf("asking %s, %q: %s", one.Pair.ID, one.Pair.Messages[0].Text, l.Error))
			}
		})
	}
	err := e.Run(running)
	if failed != nil {
		return nil, failed
	}
	return labels, err
}

// add counts what a judge says of a case, in both orders.
func (r *Result) add(in feedback.Pair, l feedback.Label) {
	r.Cases++
	var prefers [2]feedback.Preference
	for i, j := range l.Judgements {
		if j.Alone && !j.Swapped {
			r.Alone++
		}
		if j.Invalid {
			r.Invalid++
			continue
		}
		prefers[i] = preferred(j.P)
		if !j.Alone && j.P > 0.5 != j.Swapped && j.P != 0.5 {
			r.PrefersA++
		}
	}
	if prefers[0] == feedback.Unknown || prefers[0] != prefers[1] {
		return
	}
	r.Agreed++
	if prefers[0] == in.Better {
		r.Right++
	}
}

// preferred is the answer that a probability of the first one prefers.
func preferred(p float64) feedback.Preference {
	switch {
	case p > 0.5:
		return feedback.First
	case p < 0.5:
		return feedback.Second
	}
	return feedback.Unknown
}
