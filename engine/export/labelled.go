package export

import (
	"math"
	"strings"

	"amend/engine/chat"
	"amend/engine/feedback"
)

// chooseLabelled finds what a labelled pair gives, or why it gives nothing.
func (o *Options) chooseLabelled(l feedback.Labelled, prompt []chat.Message) ([]candidate, Reason) {
	if l.Label.P == nil {
		return nil, Unlabelled
	}
	p := *l.Label.P       // that the first is better
	const rounding = 1e-9 // a judge that is clamped to 0.6 has a margin of 0.2 less that
	if math.Abs(2*p-1) < o.MinMargin-rounding || p == 0.5 {
		return nil, SmallMargin
	}
	if flipped, of := l.Label.Flips(); float64(flipped) > o.MaxFlip*float64(of) {
		return nil, Flipping
	}
	preferred := candidate{
		id: l.Pair.ID, prompt: prompt, answer: l.Pair.First, rejected: l.Pair.Second,
		principles: l.Label.Principles(), prob: p,
	}
	flagged := l.Pair.Flagged
	if p < 0.5 {
		preferred, flagged = preferred.turned(), [2]bool{flagged[1], flagged[0]}
	}
	// The nearest whole number of repeats in the direction that is preferred, the rest in the other one.
	forward := int(math.Round(preferred.prob * float64(o.Repeat)))
	learnt := o.learnable(preferred.answer, flagged[0])
	if forward < o.Repeat { // the other answer is to be learnt, too
		learnt = learnt && o.learnable(preferred.rejected, flagged[1])
	}
	if !learnt {
		return nil, Flagged
	}
	if o.Repeat == 0 {
		return []candidate{preferred}, ""
	}
	out := make([]candidate, 0, o.Repeat)
	for i := range o.Repeat {
		c := preferred
		if i >= forward {
			c = preferred.turned()
		}
		c.again = i > 0
		out = append(out, c)
	}
	return out, ""
}

// learnable reports whether an answer may be chosen.
func (o *Options) learnable(text string, flagged bool) bool {
	return strings.TrimSpace(text) != "" && (!flagged || !o.Hygiene)
}

// turned is the pair with the other answer chosen.
func (c candidate) turned() candidate {
	c.answer, c.rejected, c.prob = c.rejected, c.answer, 1-c.prob
	return c
}
