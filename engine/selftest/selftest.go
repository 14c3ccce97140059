// Package selftest asks a judge cases whose answer is known, before anything it says is trusted: the judgements of a
// constitution that are there for that. A judge that does no better than guessing is no judge.
package selftest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/feedback"
)

// Result is what a judge made of known cases.
type Result struct {
	Of    int `json:"of"`    // cases that there are
	Cases int `json:"cases"` // that were asked, each in both orders: some of them are enough for a good judge, and for a bad one
	// Agreed are those in which both orders prefer the same answer, and Right those of Agreed in which it is the better one.
	Agreed int `json:"agreed"`
	Right  int `json:"right"`
	// PrefersA are the answers, of 2·Cases, that prefer what is shown first.
	PrefersA int `json:"prefers_a"`
	Invalid  int `json:"invalid"` // answers that are neither (A) nor (B)
	// P is the probability that one who guesses is right at least as often: of Agreed answers, by a fair coin.
	P       float64 `json:"p"`
	Verdict Verdict `json:"verdict"`
}

// Verdict says whether a judge can be trusted.
type Verdict string

// The verdicts.
const (
	Passed Verdict = "passed"
	Failed Verdict = "failed"
	TooFew Verdict = "untested" // too few cases to pass, however good the judge is
)

// looks are when it is looked at how a judge does: after a third of the cases, two thirds, and all of them. It passes with a P
// below pass. Together the three let one that guesses pass in less than 1 % of all tests. It fails before the last look with a
// P above fail: to read the other cases would only take time.
func looks() [3]struct{ pass, fail float64 } {
	return [3]struct{ pass, fail float64 }{{0.0005, 0.5}, {0.0015, 0.25}, {0.007, 0.007}}
}

// parts are the numbers of cases at each look.
func parts(n int) [3]int { return [3]int{(n + 2) / 3, (2*n + 2) / 3, n} }

// String gives the figures in a sentence.
func (r Result) String() string {
	return fmt.Sprintf("of %d known cases it gives %d the same answer in both orders, and is right in %d of these (p = %.2g by guessing; it must be below %.2g)",
		r.Cases, r.Agreed, r.Right, r.P, r.look().pass)
}

// look is the one that Cases are asked at.
func (r Result) look() struct{ pass, fail float64 } {
	for i, n := range parts(r.Of) {
		if r.Cases <= n {
			return looks()[i]
		}
	}
	return looks()[2]
}

// Cases are the known cases of a constitution, in the order in which they are asked: the first ones are of all kinds.
type Cases []Case

// Case is a pair of which one answer keeps better to a principle.
type Case struct {
	Pair      feedback.Pair
	Principle constitution.Principle
}

// Of returns the cases of a constitution: its judgements with use: test.
func Of(doc *constitution.Document) Cases {
	var out Cases
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
	slices.SortFunc(out, func(a, b Case) int { return cmp.Compare(place(a), place(b)) })
	return out
}

// place is where a case stands: by its text, so that a document's order, which goes by principle, is of no account.
func place(c Case) string {
	sum := sha256.Sum256([]byte(c.Pair.Messages[0].Text))
	return string(sum[:])
}

// Need is the most tokens that a case can come to hold.
func (c Cases) Need(ctx context.Context, j *feedback.Judge) (int, error) {
	most := 0
	for _, one := range c {
		n, err := j.NeedUnder(ctx, one.Pair, []constitution.Principle{one.Principle})
		if err != nil {
			return 0, err
		}
		most = max(most, n)
	}
	return most, nil
}

// Run asks the judge the cases on an engine, until it is known how it does. Its errors are those of the engine, and of a case
// that cannot be asked.
func (c Cases) Run(ctx context.Context, j *feedback.Judge, e *engine.Engine) (Result, error) {
	r := Result{Of: len(c)}
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
		if j.Invalid {
			r.Invalid++
			continue
		}
		prefers[i] = preferred(j.P)
		if j.P > 0.5 != j.Swapped && j.P != 0.5 {
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

// settle decides by what was counted, and reports whether that is the end.
func (r *Result) settle() (done bool) {
	look := r.look()
	r.P, r.Verdict = AtLeast(r.Right, r.Agreed), Failed
	switch {
	case AtLeast(r.Of, r.Of) >= looks()[2].pass:
		r.Verdict = TooFew
		return r.Cases == r.Of
	case r.P < look.pass:
		r.Verdict = Passed
	}
	return r.Verdict == Passed || r.P > look.fail || r.Cases == r.Of
}

// AtLeast is the probability that at least right of n fair coins show heads.
func AtLeast(right, n int) float64 {
	sum := 0.0
	for k := right; k <= n; k++ {
		sum += math.Exp(logChoose(n, k) - float64(n)*math.Ln2)
	}
	return min(1, sum)
}

func logChoose(n, k int) float64 {
	f := func(x int) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	return f(n) - f(k) - f(n-k)
}
