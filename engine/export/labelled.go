package export

import (
	"math"
	"strings"

	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/revise"
)

// chooseLabelled finds what a labelled pair gives, or why it gives nothing. Where one answer is the other's revision, it is
// better, and the judge must say so too.
func (o *Options) chooseLabelled(l feedback.Labelled, prompt []chat.Message, revision feedback.Preference) ([]candidate, Reason) {
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
	if revision != feedback.Unknown && (p > 0.5) != (revision == feedback.First) {
		return nil, Disagreeing
	}
	preferred := candidate{
		id: l.Pair.ID, prompt: prompt, answer: l.Pair.First, rejected: l.Pair.Second,
		principles: l.Label.Principles(), prob: p,
	}
	flagged := l.Pair.Flagged
	if p < 0.5 {
		preferred, flagged = preferred.turned(), [2]bool{flagged[1], flagged[0]}
	}
	switch {
	case !o.isFit(preferred.answer, flagged[0]):
		return nil, Flagged
	case !o.isFit(preferred.rejected, flagged[1]):
		return nil, RejectedFlagged
	}
	if why := unfit(preferred.answer, preferred.rejected); why != "" {
		return nil, why
	}
	return o.repeated(preferred), ""
}

// repeated is a pair as often as Repeat says: the nearest whole number of times in the direction that is preferred, in
// proportion to the label, and the rest in the other one.
func (o *Options) repeated(preferred candidate) []candidate {
	if o.Repeat == 0 {
		return []candidate{preferred}
	}
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
	return out
}

// isFit reports whether an answer may be in a pair. A label says that it is flagged, not by which check: so no flag is let pass.
func (o *Options) isFit(text string, flagged bool) bool {
	return strings.TrimSpace(text) != "" && (!o.Hygiene || !flagged && faultOf(revise.Turn{Text: text}) == "")
}

// turned is the pair with the other answer chosen.
func (c candidate) turned() candidate {
	c.answer, c.rejected, c.prob = c.rejected, c.answer, 1-c.prob
	return c
}
