package feedback

import (
	"slices"
	"strings"
	"unicode/utf8"

	"amend/engine/stats"
)

// Report says how far labels can be trusted: by how the judge's answers agree among each other, and where it is known which
// responses are better, by that. Intervals draw whole prompts; who has no preference is right by half.
type Report struct {
	Pairs      int `json:"pairs"`
	Labelled   int `json:"labelled"` // with at least one valid judgement in both orders
	Failed     int `json:"failed"`   // that could not be judged
	Judgements int `json:"judgements"`
	Invalid    int `json:"invalid"` // judgements in which the model would have said something else

	// FlipRate is the share of valid judgements that prefer another response when the order is changed.
	FlipRate  float64     `json:"flip_rate"`
	Flips     stats.Share `json:"flips"`
	PrefersA  stats.Share `json:"prefers_a"` // judgements that prefer what is shown first, whatever it is
	Agreement stats.Share `json:"agreement"` // pairs of principles that prefer the same response of a pair
	Saturated stats.Share `json:"saturated"` // judgements that are more than 99 % sure
	// PrefersLonger is the share of labels that prefer the response with more characters.
	PrefersLonger stats.Share       `json:"prefers_longer"`
	Principles    []PrincipleReport `json:"principles"`
	// Known is there where it is known of some pairs which response is better.
	*Known
}

// PrincipleReport is about the judgements under one principle.
type PrincipleReport struct {
	Principle string      `json:"principle"`
	Judged    int         `json:"judged"` // pairs with a valid judgement in both orders
	Flips     stats.Share `json:"flips"`
	// Accuracy is the share that is right, both orders averaged, by what is known under this principle.
	Accuracy *stats.Share `json:"accuracy,omitempty"`
}

// Truth is what is known of a pair under a principle, or of the pair as a whole where principle is "".
type Truth func(in Pair, principle string) Preference

// saturated is how far from even odds a judgement is that leaves no doubt.
const saturated = 0.49

// NewReport reports on labels of some of the pairs.
func NewReport(pairs []Pair, labels []Label, truth Truth) Report {
	byID := make(map[string]Pair, len(pairs))
	for _, p := range pairs {
		byID[p.ID] = p
	}
	t := tally{truth: truth, principles: map[string]*principleTally{}}
	for _, l := range labels {
		if in, ok := byID[l.ID]; ok {
			t.add(in, l)
		}
	}
	return t.report(len(pairs))
}

// credit is how far a probability of the first response says that it is the better one: 1, 0, or a half at even odds.
func credit(p float64, first bool) float64 {
	if p == 0.5 {
		return 0.5
	}
	return stats.Indicator[float64]((p > 0.5) == first)
}

// flips reports whether two probabilities of the same response prefer another one each.
func flips(p [2]float64) bool { return (p[0]-0.5)*(p[1]-0.5) < 0 }

// tally counts labels. What is counted is grouped by prompt.
type tally struct {
	truth                                 Truth
	labelled, failed, judgements, invalid int

	flips, first, agree, saturated, longer stats.Clusters

	principles map[string]*principleTally
	known      []knownPair
}

type principleTally struct {
	judged       int
	flips, right stats.Clusters
	known        bool
}

func (t *tally) add(in Pair, l Label) {
	if l.Error != "" {
		t.failed++
		return
	}
	prompt := in.prompt()
	for _, j := range l.Judgements {
		t.judgements++
		if j.Invalid {
			t.invalid++
			continue
		}
		if !j.Alone { // else there is no place to prefer
			t.first.Add(prompt, credit(j.P, !j.Swapped))
		}
		t.saturated.Add(prompt, stats.Indicator[float64](max(j.P, 1-j.P)-0.5 > saturated))
	}
	if l.P == nil {
		return
	}
	t.labelled++
	means := t.addPrinciples(prompt, in, l)
	for i, a := range means {
		for _, b := range means[:i] {
			t.agree.Add(prompt, stats.Indicator[float64]((a-0.5)*(b-0.5) > 0))
		}
	}
	if a, b := utf8.RuneCountInString(in.First), utf8.RuneCountInString(in.Second); a != b {
		t.longer.Add(prompt, credit(*l.P, a > b))
	}
	if better := t.truth(in, ""); better == First || better == Second {
		t.known = append(t.known, newKnownPair(in, l, better == First))
	}
}

// addPrinciples counts by principle, and returns each one's probability of the first response, over both orders.
func (t *tally) addPrinciples(prompt string, in Pair, l Label) (means []float64) {
	for given, p := range l.under {
		id := given.Principle
		c := t.principles[id]
		if c == nil {
			c = &principleTally{}
			t.principles[id] = c
		}
		mean := (p[0] + p[1]) / 2
		c.judged++
		if !given.Alone { // else there is one order
			t.flips.Add(prompt, stats.Indicator[float64](flips(p)))
			c.flips.Add(prompt, stats.Indicator[float64](flips(p)))
		}
		if better := t.truth(in, id); better == First || better == Second {
			c.known = true
			c.right.Add(prompt, credit(mean, better == First))
		}
		means = append(means, mean)
	}
	return means
}

func (t *tally) report(pairs int) Report {
	r := Report{
		Pairs: pairs, Labelled: t.labelled, Failed: t.failed, Judgements: t.judgements, Invalid: t.invalid,
		Flips: t.flips.Share(), PrefersA: t.first.Share(), Agreement: t.agree.Share(), Saturated: t.saturated.Share(), PrefersLonger: t.longer.Share(),
		Principles: []PrincipleReport{},
	}
	r.FlipRate = r.Flips.Share
	for id, c := range t.principles {
		p := PrincipleReport{Principle: id, Judged: c.judged, Flips: c.flips.Share()}
		if c.known {
			s := c.right.Share()
			p.Accuracy = &s
		}
		r.Principles = append(r.Principles, p)
	}
	slices.SortFunc(r.Principles, func(a, b PrincipleReport) int { return strings.Compare(a.Principle, b.Principle) })
	if len(t.known) > 0 {
		r.Known = newKnown(t.known)
	}
	return r
}
