package engine

import (
	"amend/engine/internal/ngram"
	"amend/engine/internal/sched"
)

// StepCost is what one pass over the weights took: Sequences sequences with
// Tokens tokens each. A list of them says how many drafted tokens pay.
type StepCost = sched.Cost

// MaxDrafted is the most drafted tokens behind a turn's own in one step.
const MaxDrafted = ngram.Ahead

// Speculate makes turns that start from now on try tokens that are looked up in
// their conversation, where costs, measured by Calibrate in this run or an
// earlier one, say that it pays. Tokens stay the same, and so does what they
// are drawn from: a drafted token counts when the token sampled in its place is equal.
// A memory that cannot be cut, as wrong drafted tokens must be, goes without.
func (e *Engine) Speculate(costs []StepCost) {
	e.planner.Costs = nil
	if len(costs) > 0 && !e.limits.Uncuttable {
		e.planner.Costs = sched.NewCosts(costs)
	}
}

// newDrafter returns what drafts for a request, or nil: a grammar's state
// cannot go back.
func (e *Engine) newDrafter(r *Request) *ngram.Drafter {
	if e.planner.Costs == nil || r.scoring != nil || r.Grammar != nil {
		return nil
	}
	return ngram.New(r.Tokens)
}

// fillDrafted puts n drafted tokens behind a turn's tokens in the batch, from position
// pos. In streams a turn may have fewer of its own than the step has room for;
// it is padded with its last token, since unequal counts would cost passes.
func (e *Engine) fillDrafted(t *turn, pos, n int) {
	guesses := t.drafter.Draft(n)
	e.drafted = append(e.drafted[:0], guesses...)
	for len(e.drafted) < n {
		e.drafted = append(e.drafted, t.at(t.length()-1))
	}
	e.stats.Drafted += n
	for i, g := range e.drafted {
		last := &e.outputs[len(e.outputs)-1]
		last.draft, last.drafted = g, true
		e.outputs = append(e.outputs, output{turn: t, index: len(e.batch)})
		e.batch = append(e.batch, Input{Token: g, Pos: int32(pos + i), Seq: t.seq, Logits: true})
	}
	e.tree.Append(t.seq, e.drafted...)
}

// dropDrafted takes a plan's drafted tokens back from the tree, when the step was not
// made.
func (e *Engine) dropDrafted(plan []sched.Chunk) {
	for _, c := range plan {
		e.tree.Truncate(c.Seq, e.active[c.Seq].length())
	}
}
