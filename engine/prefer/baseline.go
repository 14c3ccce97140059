package prefer

import (
	"unicode/utf8"

	"amend/engine/measure"
	"amend/engine/revise"
)

// Case is a pair that a model was not trained on, with what is said and known of it.
type Case struct {
	First, Second string
	Label         float64 // of the judge: that the first is better
	Predicted     float64 // by the preference model
	// Truth is whether the first is better, where that is known and neither is as good as the other.
	Truth *bool
}

// Mark is how well something predicts which response is better.
type Mark struct {
	Name string `json:"name"`
	// Labels is the share of pairs in which it prefers what the judge prefers, Truth that in which it prefers what is better, over
	// the pairs of which that is known; nil where there are none.
	Labels measure.Share  `json:"labels"`
	Truth  *measure.Share `json:"truth,omitempty"`
}

// Marks compares the preference model with what is simpler than it, and with the judge that taught it. length and refusal
// are what Signs found in the pairs of training.
func Marks(cases []Case, length, refusal float64) []Mark {
	predictors := []struct {
		name string
		of   func(Case) float64 // above 0 prefers the first
	}{
		{"preference model", func(c Case) float64 { return c.Predicted - 0.5 }},
		{"judge", func(c Case) float64 { return c.Label - 0.5 }},
		{"length only", func(c Case) float64 { return length * lengths(c.First, c.Second) }},
		{"refusal only", func(c Case) float64 { return refusal * refusals(c.First, c.Second) }},
	}
	var out []Mark
	for _, p := range predictors {
		var labels, truth half
		for _, c := range cases {
			says := p.of(c)
			labels.add(says, c.Label > 0.5)
			if c.Truth != nil {
				truth.add(says, *c.Truth)
			}
		}
		m := Mark{Name: p.name, Labels: labels.share()}
		if truth.of > 0 {
			s := truth.share()
			m.Truth = &s
		}
		out = append(out, m)
	}
	return out
}

// half counts in halves: who has no preference is right in half of the cases.
type half struct{ halves, of int }

func (h *half) add(says float64, first bool) {
	h.of++
	switch {
	case says == 0:
		h.halves++
	case (says > 0) == first:
		h.halves += 2
	}
}

func (h half) share() measure.Share { return measure.NewShare(h.halves/2, h.of) }

// Signs finds, over pairs of training, whether labels prefer the longer response (1) or the shorter (−1), and the one that
// declines or the one that does not.
func Signs(cases []Case) (length, refusal float64) {
	for _, c := range cases {
		length += (c.Label - 0.5) * lengths(c.First, c.Second)
		refusal += (c.Label - 0.5) * refusals(c.First, c.Second)
	}
	return sign(length), sign(refusal)
}

func sign(x float64) float64 {
	if x < 0 {
		return -1
	}
	return 1
}

// lengths is 1 where the first response is longer, −1 where the second is.
func lengths(first, second string) float64 {
	switch a, b := utf8.RuneCountInString(first), utf8.RuneCountInString(second); {
	case a > b:
		return 1
	case a < b:
		return -1
	}
	return 0
}

// refusals is 1 where only the first response declines, −1 where only the second does.
func refusals(first, second string) float64 {
	a, b := revise.Refuses(first), revise.Refuses(second)
	switch {
	case a && !b:
		return 1
	case b && !a:
		return -1
	}
	return 0
}
