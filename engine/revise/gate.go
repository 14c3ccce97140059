package revise

import (
	"context"
	"fmt"
	"slices"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/check"
	"amend/engine/digest"
	"amend/engine/feedback"
)

// Gate lets a revision take the place of its draft only when a judge finds it better.
//
// Under the principle drawn for it the judge must prefer the revision in both orders, so that no preference for a place
// decides; and under no other principle of the pool, which are those that can be drawn for the row, may it prefer the
// draft, so that one repair does not break another rule and a later principle does not undo an earlier one. A revision
// that is refused is followed by another one under another draw, up to Tries times; then the draft stays.
//
// Before a critique the judge says in a word whether the draft breaks the drawn principle. A draft that is found clean
// is not revised under it: another principle is drawn. One that is found clean under two, and in breach of none, ends
// the row.
type Gate struct {
	// Judge judges with the principle behind the options, so that all principles go on from one prefix.
	Judge *feedback.Judge
	Tries int // new tries after a revision that is refused, in each round
	// Margin is by how much more than a half the judge must favour the revision under the drawn principle, in either
	// order: a probability from 0 to 0.5.
	Margin float64
	// Veto is by how much more than a half, in the mean of both orders, it may favour the draft under any other principle.
	Veto float64
}

// Refusal is why a gate does not take a revision.
type Refusal string

// The refusals.
const (
	NotChanged   Refusal = "unchanged"     // it is the draft again: nothing to judge
	NotPreferred Refusal = "not-preferred" // not in both orders under the drawn principle
	Vetoed       Refusal = "vetoed"        // the draft is preferred under another principle
	NotJudged    Refusal = "invalid"       // a judgement whose answers are too unlikely does not count
	Flagged      Refusal = "flagged"       // a check found a fault in it
	BadCritique  Refusal = "bad-critique"  // a check found a fault in the critique, so no revision was asked for
	FoundNothing Refusal = "found-nothing" // the critique found nothing to correct, so no revision was asked for
)

// Refusals lists the refusals.
func Refusals() []Refusal {
	return []Refusal{NotChanged, NotPreferred, Vetoed, NotJudged, Flagged, BadCritique, FoundNothing}
}

// Decision is what was decided of one try, and by what.
type Decision struct {
	Refused Refusal `json:"refused,omitempty"` // empty where it took the draft's place
	Against string  `json:"against,omitempty"` // the principle that a veto or an invalid judgement was under
	// Judgements compare the revision, which is first, with its draft: under the drawn principle, then under the others.
	Judgements []feedback.Judgement `json:"judgements,omitempty"`
	feedback.Cost
}

// Gated is what was found in a row beside the decisions of its turns.
type Gated struct {
	Verdicts []Verdict `json:"verdicts"`
	// Stayed are the rounds whose draft stayed, since no revision was taken.
	Stayed []int `json:"draft_stayed,omitempty"`
	// Clean is the round that was not begun, since the judge found the answer clean under all principles that it was asked
	// about; 0 where there is none, or the answer is another one now.
	Clean int `json:"ended_clean,omitempty"`
	// Declined is the round that was not begun, since the answer declines what was asked; 0 where there is none.
	Declined int `json:"ended_declined,omitempty"`
}

// TrySeed is the seed of a turn that is tried again; try 0 is the first time.
func TrySeed(turn uint64, try int) uint64 {
	if try == 0 {
		return turn
	}
	return digest.SeedAt(turn, digest.TryLabel, try)
}

// drawsSeed is the seed of a round's further draws.
func drawsSeed(row uint64, round int) uint64 {
	return digest.SeedAt(row, digest.DrawsLabel, round)
}

// pool are the principles that can be drawn for the row, in the order of the round's further draws.
func (r *row) pool() []constitution.Principle {
	return r.doc.DrawSeveral(drawsSeed(r.record.Seed, r.round), len(r.doc.Principles), r.in.Attributes)
}

// untried is the next principle of the pool that was not drawn in this round.
func (r *row) untried() (constitution.Principle, bool) {
	for _, p := range r.pool() {
		if !slices.Contains(r.tried, p.ID) {
			return p, true
		}
	}
	return constitution.Principle{}, false
}

// awaitJudge does something that the judge answers, at once or later. start gives resume what is to be done with the
// answer, and returns whether that comes later. Like submit, awaitJudge returns false when the row has ended.
func (r *row) awaitJudge(start func(resume func(next func() bool)) bool) bool {
	atOnce, goes := true, false
	waits := start(func(next func() bool) {
		if atOnce {
			goes = next()
		} else if !next() {
			r.loop.startNext()
		}
	})
	atOnce = false
	return goes || waits
}

// judgeRevision judges the newest revision, and lets it take the draft's place or not.
func (r *row) judgeRevision(kept chat.Kept) bool {
	newest := &r.record.Turns[len(r.record.Turns)-1]
	newest.Gate = &Decision{Refused: NotJudged} // until it is
	if slices.Contains(newest.Flags, check.Unchanged) {
		return r.refuse(NotChanged, "")
	}
	drawn := []constitution.Principle{r.principle}
	return r.compare(kept.Text, drawn, func(l feedback.Label) bool {
		given, swapped := l.Judgements[0], l.Judgements[1]
		switch {
		case given.Invalid || swapped.Invalid:
			return r.refuse(NotJudged, r.principle.ID)
		case min(given.P, swapped.P) <= 0.5+r.loop.settings.Gate.Margin:
			return r.refuse(NotPreferred, r.principle.ID)
		}
		return r.judgeUnderPool(kept)
	})
}

// judgeUnderPool judges a revision that is better under the drawn principle under the others.
func (r *row) judgeUnderPool(kept chat.Kept) bool {
	others := slices.DeleteFunc(r.pool(), func(p constitution.Principle) bool { return p.ID == r.principle.ID })
	if len(others) == 0 {
		return r.accept(kept)
	}
	return r.compare(kept.Text, others, func(l feedback.Label) bool {
		worst, against := 1.0, ""
		for i := 0; i < len(l.Judgements); i += 2 {
			given, swapped := l.Judgements[i], l.Judgements[i+1]
			if given.Invalid || swapped.Invalid {
				return r.refuse(NotJudged, given.Principle)
			}
			if mean := (given.P + swapped.P) / 2; mean < worst {
				worst, against = mean, given.Principle
			}
		}
		if worst < 0.5-r.loop.settings.Gate.Veto {
			return r.refuse(Vetoed, against)
		}
		return r.accept(kept)
	})
}

// accept lets a revision take the draft's place.
func (r *row) accept(kept chat.Kept) bool {
	r.record.Turns[len(r.record.Turns)-1].Gate.Refused = ""
	return r.setDraft(Revision, kept)
}

// compare has a revision judged against the draft, and keeps the judgements in the newest turn's decision.
func (r *row) compare(revision string, under []constitution.Principle, next func(feedback.Label) bool) bool {
	in := feedback.Pair{ID: r.in.ID, Index: r.in.Index, Messages: r.in.Messages, First: revision, Second: r.draftText, Attributes: r.in.Attributes}
	return r.awaitJudge(func(resume func(func() bool)) bool {
		return r.loop.judging.Judge(in, under, func(l feedback.Label, c feedback.Cost) {
			resume(func() bool {
				if l.Error != "" {
					return r.fail(fmt.Errorf("comparing the revision of round %d with its draft: %s", r.round, l.Error))
				}
				d := r.record.Turns[len(r.record.Turns)-1].Gate
				d.Judgements = append(d.Judgements, l.Judgements...)
				d.Add(c)
				return next(l)
			})
		})
	})
}

// refuse lets the draft stay, and tries again if it may. Where a check found a fault the principle is tried with another seed
// first; where nothing was changed under it, another one is.
func (r *row) refuse(why Refusal, against string) bool {
	newest := &r.record.Turns[len(r.record.Turns)-1]
	if newest.Gate == nil {
		newest.Gate = &Decision{}
	}
	newest.Gate.Refused, newest.Gate.Against = why, against
	checked, tries := why == Flagged || why == BadCritique, r.loop.settings.Tries
	if !checked {
		tries = 1 + r.loop.settings.Gate.Tries
	}
	r.try++
	switch {
	case r.try >= tries:
		r.record.Gated.Stayed = append(r.record.Gated.Stayed, r.round)
		return r.nextRound()
	case checked && r.try == 1 && !slices.Contains(newest.Flags, check.Unchanged):
		r.tryTurns = 0
		return r.criticize()
	default:
		return r.propose()
	}
}

// isUnusable reports whether a critique has a fault that makes it no help. One that was cut off is one.
func isUnusable(flags []check.Flag) bool {
	return slices.ContainsFunc(flags, func(f check.Flag) bool { return f != check.Cut })
}

// startJudges has the judges work in the run; with a nil engine, in a plan.
func (l *Loop) startJudges(e *engine.Engine) {
	over := func() bool { return l.err != nil || l.ctx.Err() != nil || l.isEnding() }
	halt := func(err error) {
		if l.err == nil {
			l.err = err
		}
		l.stop()
	}
	if g := l.settings.Gate; g != nil {
		l.judging = g.Judge.Start(l.ctx, e, over, halt)
	}
	if v := l.settings.Verdicts; v != nil {
		l.inspecting = v.Judge.Start(l.ctx, e, over, halt)
	}
	if v := l.settings.Reading; v != nil {
		l.reading = v.Judge.Start(l.ctx, e, over, halt)
	}
}

// needJudged is about the most tokens that a judgement of the row's revisions can come to hold, where responses take
// up to most tokens each.
func (l *Loop) needJudged(ctx context.Context, in Row, most int) (int, error) {
	bare, err := l.settings.Gate.Judge.NeedUnder(ctx, feedback.Pair{ID: in.ID, Messages: in.Messages}, l.doc.Principles) // all show what is worked
	const again = 8                                                                                                      // one token in so many more where a text is tokenized again
	return bare.Tokens + 2*(most+most/again+again), err
}
