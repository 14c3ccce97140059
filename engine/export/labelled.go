package export

import (
	"math"
	"strings"

	"amend/engine/chat"
	"amend/engine/feedback"
)

// chooseLabelled finds what a labelled pair gives, or why it gives nothing.
func (o *Options) chooseLabelled(l feedback.Labelled, prompt []Message) ([]candidate, Reason) {
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
		id: l.Pair.ID, prompt: prompt, answer: l.Pair.First, rejected: l.Pair.Second, first: l.Pair.First,
		principles: l.Label.Principles(), prob: p,
	}
	flagged := l.Pair.Flagged[0]
	if p < 0.5 {
		preferred, flagged = preferred.turned(), l.Pair.Flagged[1]
	}
	if strings.TrimSpace(preferred.answer) == "" || o.Hygiene && flagged {
		return nil, Flagged
	}
	if o.Repeat == 0 {
		return []candidate{preferred}, ""
	}
	// The nearest whole number of repeats in the direction that is preferred, the rest in the other one.
	forward := int(math.Round(preferred.prob * float64(o.Repeat)))
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

// turned is the pair with the other answer chosen.
func (c candidate) turned() candidate {
	c.answer, c.rejected, c.prob = c.rejected, c.answer, 1-c.prob
	return c
}

func conversation(in []chat.Message) []Message {
	out := make([]Message, 0, len(in))
	for _, m := range in {
		out = append(out, Message{string(m.Role), m.Text})
	}
	return out
}
