package export

import (
	"slices"

	"amend/engine/language"
)

// Spread is how numbers are spread: in the middle nine tenths from Low to High.
type Spread struct {
	Low    int `json:"p5"`
	Median int `json:"p50"`
	High   int `json:"p95"`
}

// spread sorts the numbers.
func spread(numbers []int) Spread {
	if len(numbers) == 0 {
		return Spread{}
	}
	slices.Sort(numbers)
	at := func(percent int) int { return numbers[(len(numbers)-1)*percent/100] }
	return Spread{at(5), at(50), at(95)}
}

// Statistics describe the rows of a run, or the pairs, that are in a set.
type Statistics struct {
	// Prompt, Answer and Rejected are lengths in words. Answer is what is to be learnt, Rejected the other answer of pairs.
	Prompt   Spread  `json:"prompt_words"`
	Answer   Spread  `json:"answer_words"`
	Rejected *Spread `json:"rejected_words,omitempty"`
	// Languages counts answers to learn by what package language calls them; "" is not recognised.
	Languages map[string]int `json:"languages"`
	// OtherLanguage counts answers in another language than their prompt, where both are recognised.
	OtherLanguage int `json:"other_language"`
	// Exact counts those with the prompt and the answer of one before, Near those that share Threshold of the word triples.
	Exact     int     `json:"exact_duplicates"`
	Near      int     `json:"near_duplicates"`
	Threshold float64 `json:"near_duplicates_from"`
	// Principles counts those that were revised, or judged, under each.
	Principles map[string]int `json:"principles"`
	First      FirstResponses `json:"first_responses"`
	Changed    int            `json:"changed"` // that are a revision; 0 of labelled pairs, where none is known to be
}

// FirstResponses counts the first responses among the answers to learn, by why they are there.
type FirstResponses struct {
	Clean    int `json:"clean"`     // a verdict found them clean
	NotTried int `json:"not_tried"` // the run has no revisions
	Kept     int `json:"kept"`      // Options.KeepFirst
}

// survey collects statistics.
type survey struct {
	Statistics
	prompt, answer, rejected []int
	seen                     *duplicates
}

func newSurvey(threshold float64) *survey {
	if threshold == 0 {
		threshold = alike
	}
	return &survey{
		Statistics: Statistics{Languages: map[string]int{}, Principles: map[string]int{}, Threshold: threshold},
		seen:       newDuplicates(threshold),
	}
}

// add takes up a candidate that is in the set, and what it is to those before.
func (s *survey) add(c candidate, o *Options, like likeness) {
	s.prompt = append(s.prompt, len(promptWords(c.prompt)))
	s.answer = append(s.answer, len(language.Words(c.answer)))
	if o.Format != SFT {
		s.rejected = append(s.rejected, len(language.Words(c.rejected)))
	}
	s.addLanguage(c)
	switch like {
	case exactly:
		s.Exact++
	case nearly:
		s.Near++
	case unlike:
	}
	for _, p := range slices.Compact(slices.Sorted(slices.Values(c.principles))) {
		s.Principles[p]++
	}
	switch c.unrevised {
	case foundClean:
		s.First.Clean++
	case notTried:
		s.First.NotTried++
	case keptFirst:
		s.First.Kept++
	case "":
		if !o.Labels {
			s.Changed++
		}
	}
}

func (s *survey) addLanguage(c candidate) {
	is := language.Of(c.answer)
	s.Languages[is]++
	asked := ""
	if len(c.prompt) > 0 {
		asked = language.Of(c.prompt[len(c.prompt)-1].Text)
	}
	if is != "" && asked != "" && is != asked {
		s.OtherLanguage++
	}
}

// result sums up.
func (s *survey) result() Statistics {
	out := s.Statistics
	out.Prompt, out.Answer = spread(s.prompt), spread(s.answer)
	if s.rejected != nil {
		rejected := spread(s.rejected)
		out.Rejected = &rejected
	}
	return out
}
