package reward

import (
	"slices"
	"unicode/utf8"

	"amend/engine/stats"
)

// Case is a pair that a model was not trained on, with what is said and known of it.
type Case struct {
	Prompt        string // names it
	First, Second string
	Label         float64 // that is learnt: that the first is better
	// Judge is the label of the judge; nil where none was asked.
	Judge     *float64
	Predicted float64 // by the preference model
	// FirstRefuses and SecondRefuses are whether they decline in full, as package refusal judges.
	FirstRefuses, SecondRefuses bool
	// Truth is whether the first is better, where that is known and neither is as good as the other.
	Truth *bool
}

// Mark is how well something predicts which response is better. Intervals draw whole prompts; who has no preference is right
// by half.
type Mark struct {
	Name string `json:"name"`
	// Labels is the share of pairs in which it prefers what the labels prefer, Truth that in which it prefers what is better, over
	// the pairs of which that is known; nil where there are none.
	Labels stats.Share  `json:"labels"`
	Truth  *stats.Share `json:"truth,omitempty"`
	// Gain is how much more often the preference model is right, by the truth where that is known, else by the labels.
	Gain stats.Interval `json:"gain"`
}

// Marks compares the preference model with what is simpler than it, and with the judge that taught it. length and refusal
// are what Signs found in the pairs of training.
func Marks(cases []Case, length, refusal float64) []Mark {
	model := func(c Case) float64 { return c.Predicted - 0.5 }
	judge := func(c Case) float64 {
		if c.Judge == nil {
			return 0
		}
		return *c.Judge - 0.5
	}
	predictors := []struct {
		name string
		of   func(Case) float64 // above 0 prefers the first
	}{
		{"preference model", model},
		{"judge", judge},
		{"length only", func(c Case) float64 { return length * lengths(c.First, c.Second) }},
		{"refusal only", func(c Case) float64 { return refusal * refusals(c) }},
	}
	var out []Mark
	for _, p := range predictors {
		if p.name == "judge" && !slices.ContainsFunc(cases, func(c Case) bool { return c.Judge != nil }) {
			continue
		}
		var labels, truth, labelGain, truthGain stats.Clusters
		known := false
		for _, c := range cases {
			labels.Add(c.Prompt, right(p.of(c), c.Label-0.5))
			labelGain.Add(c.Prompt, right(model(c), c.Label-0.5)-right(p.of(c), c.Label-0.5))
			if c.Truth != nil {
				known = true
				is := side(*c.Truth)
				truth.Add(c.Prompt, right(p.of(c), is))
				truthGain.Add(c.Prompt, right(model(c), is)-right(p.of(c), is))
			}
		}
		m := Mark{Name: p.name, Labels: labels.Share(), Gain: labelGain.Mean()}
		if known {
			s := truth.Share()
			m.Truth, m.Gain = &s, truthGain.Mean()
		}
		out = append(out, m)
	}
	return out
}

// side is a truth as a preference.
func side(first bool) float64 {
	if first {
		return 1
	}
	return -1
}

// right is how far a preference is the same as another: 1, 0, or a half where either prefers neither. Above 0 prefers the first.
func right(says, is float64) float64 {
	switch {
	case says*is > 0:
		return 1
	case says*is < 0:
		return 0
	}
	return 0.5
}

// Signs finds, over pairs of training, whether labels prefer the longer response (1) or the shorter (−1), and the one that
// declines or the one that does not.
func Signs(cases []Case) (length, refusal float64) {
	for _, c := range cases {
		length += (c.Label - 0.5) * lengths(c.First, c.Second)
		refusal += (c.Label - 0.5) * refusals(c)
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
func refusals(c Case) float64 {
	switch {
	case c.FirstRefuses && !c.SecondRefuses:
		return 1
	case c.SecondRefuses && !c.FirstRefuses:
		return -1
	}
	return 0
}
