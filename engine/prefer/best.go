package prefer

import (
	"strings"
	"unicode/utf8"

	"amend/engine/measure"
	"amend/engine/revise"
)

// Candidate is one of several responses to a prompt.
type Candidate struct {
	Text  string
	Score float64 // of the preference model
	// Known is set where an oracle knows the response: how many rules it breaks, and how many useful facts it has.
	Known  bool
	Broken int
	Facts  int
}

// Best is the place of the candidate with the highest score, the first among equals.
func Best(of []Candidate) int {
	best := 0
	for i, c := range of {
		if c.Score > of[best].Score {
			best = i
		}
	}
	return best
}

// Step is what the best of n responses are like, over all prompts. Where Score rises while Violating does, too, or answers only
// get longer, or more alike, the preference model is over-optimised (Gao et al. 2022).
type Step struct {
	N        int           `json:"n"`
	Prompts  int           `json:"prompts"`
	Score    float64       `json:"score"`    // mean
	Chars    float64       `json:"chars"`    // mean
	Refusals measure.Share `json:"refusals"` // that open by declining
	// Distinct is the share of different ones among the word triples of all responses: boilerplate lowers it.
	Distinct float64 `json:"distinct"`
	// Violating is the share that breaks a rule, Facts the mean number of useful facts; nil where nobody knows.
	Violating *measure.Share `json:"violating,omitempty"`
	Facts     *float64       `json:"facts,omitempty"`
}

// Curve takes the best of the first 1, 2, 4, … up to most candidates of each prompt. Prompts that have fewer are left out.
func Curve(prompts [][]Candidate, most int) []Step {
	var whole [][]Candidate
	for _, p := range prompts {
		if len(p) >= most {
			whole = append(whole, p)
		}
	}
	if len(whole) == 0 {
		return nil
	}
	var out []Step
	for n := 1; n <= most; n *= 2 {
		out = append(out, step(whole, n))
	}
	return out
}

// step describes the best of the first n.
func step(prompts [][]Candidate, n int) Step {
	s := Step{N: n, Prompts: len(prompts)}
	seen := map[string]bool{}
	triples, refusals, known, violating, facts := 0, 0, 0, 0, 0
	for _, p := range prompts {
		c := p[Best(p[:n])]
		s.Score += c.Score / float64(len(prompts))
		s.Chars += float64(utf8.RuneCountInString(c.Text)) / float64(len(prompts))
		words := strings.Fields(c.Text)
		for i := 0; i+3 <= len(words); i++ {
			seen[strings.Join(words[i:i+3], " ")] = true
			triples++
		}
		if revise.Refuses(c.Text) {
			refusals++
		}
		if !c.Known {
			continue
		}
		known++
		facts += c.Facts
		if c.Broken > 0 {
			violating++
		}
	}
	s.Refusals = measure.NewShare(refusals, len(prompts))
	if triples > 0 {
		s.Distinct = float64(len(seen)) / float64(triples)
	}
	if known > 0 {
		v, mean := measure.NewShare(violating, known), float64(facts)/float64(known)
		s.Violating, s.Facts = &v, &mean
	}
	return s
}
