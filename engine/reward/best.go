package reward

import (
	"strings"
	"unicode/utf8"

	"amend/engine/stats"
)

// Candidate is one of several responses to a prompt.
type Candidate struct {
	Text  string
	Score float64 // of the preference model
	// Refuses is whether it declines in full, as package refusal judges.
	Refuses bool
	// Known is set where an oracle knows the response: how many rules it breaks, how many useful facts it has, and whether it
	// could read all of it. What it could not read breaks nothing that it knows of; where that is in doubt, Doubtful is set.
	Known               bool
	Broken              int
	Facts               int
	InGrammar, Doubtful bool
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
	N        int         `json:"n"`
	Prompts  int         `json:"prompts"`
	Score    float64     `json:"score"`    // mean
	Chars    float64     `json:"chars"`    // mean
	Refusals stats.Share `json:"refusals"` // that decline in full
	// Distinct is the share of different ones among the word triples of all responses: boilerplate lowers it.
	Distinct float64 `json:"distinct"`
	// Known is what an oracle says; nil where nobody knows.
	Known *Known `json:"known,omitempty"`
}

// Known is what an oracle says of the best of n responses.
type Known struct {
	Violating stats.Share `json:"violating"`  // that break a rule
	AtMost    stats.Share `json:"at_most"`    // that break a rule, or may
	InGrammar stats.Share `json:"in_grammar"` // that it can read to the end
	Facts     float64     `json:"facts"`      // useful ones, in the mean
	// FactsKept are the facts as a share of those that the best of 1 have, with an interval that draws prompts.
	FactsKept stats.Interval `json:"facts_kept"`
}

// resamples is how many samples of prompts an interval draws.
const resamples = 1000

// Curve takes the best of the first 1, 2, 4, … and all candidates of each prompt, which are most. Prompts that have fewer are left out.
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
	for n := 1; n < most; n *= 2 {
		out = append(out, step(whole, n))
	}
	return append(out, step(whole, most))
}

// step describes the best of the first n.
func step(prompts [][]Candidate, n int) Step {
	s := Step{N: n, Prompts: len(prompts)}
	seen := map[string]bool{}
	triples, refusals := 0, 0
	for _, p := range prompts {
		c := p[Best(p[:n])]
		s.Score += c.Score / float64(len(prompts))
		s.Chars += float64(utf8.RuneCountInString(c.Text)) / float64(len(prompts))
		words := strings.Fields(c.Text)
		for i := 0; i+3 <= len(words); i++ {
			seen[strings.Join(words[i:i+3], " ")] = true
			triples++
		}
		if c.Refuses {
			refusals++
		}
	}
	s.Refusals = stats.NewShare(refusals, len(prompts))
	if triples > 0 {
		s.Distinct = float64(len(seen)) / float64(triples)
	}
	s.Known = known(prompts, n)
	return s
}

// known is what the oracle says of the best of the first n.
func known(prompts [][]Candidate, n int) *Known {
	var one, best []Candidate
	violating, most, readable := 0, 0, 0
	for _, p := range prompts {
		c := p[Best(p[:n])]
		if !c.Known || !p[0].Known {
			continue
		}
		one, best = append(one, p[0]), append(best, c)
		if c.Broken > 0 {
			violating++
		}
		if c.Broken > 0 || c.Doubtful {
			most++
		}
		if c.InGrammar {
			readable++
		}
	}
	if len(best) == 0 {
		return nil
	}
	facts := func(of []Candidate, places []int) (sum float64) {
		for _, i := range places {
			sum += float64(of[i].Facts)
		}
		return sum
	}
	n = len(best)
	k := &Known{Violating: stats.NewShare(violating, n), AtMost: stats.NewShare(most, n), InGrammar: stats.NewShare(readable, n)}
	k.FactsKept = stats.Bootstrap(n, resamples, 1, func(places []int) float64 {
		had := facts(one, places)
		if had == 0 {
			return 1 // there was nothing to lose
		}
		return facts(best, places) / had
	})
	for _, c := range best {
		k.Facts += float64(c.Facts) / float64(n)
	}
	return k
}
