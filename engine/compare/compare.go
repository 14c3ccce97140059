// Package compare measures answers against others to the same prompts: who wins, by judges, and what can be counted without
// one. It computes nothing with a model.
package compare

import (
	"unicode/utf8"

	"amend/engine/language"
	"amend/engine/stats"
)

// Case is an answer and the one that it is measured against, its base.
type Case struct {
	Prompt       string // names the conversation; intervals draw whole ones
	Base, Answer Answer
	// Wins is how far the answer wins over its base by each judge that could say: 1, 0, or a half where it prefers neither.
	Wins map[string]float64
}

// Answer is an answer, with what is known of it.
type Answer struct {
	Text string
	// Declines says whether it declines. It means nothing where NotJudged is set.
	Declines, NotJudged bool
	Flags               []string // faults that checks found
}

// Row is what answers are like, and how often they win over their bases. Intervals are of 95 % and draw whole conversations.
type Row struct {
	Name      string         `json:"name"`
	Cases     int            `json:"cases"`
	Unchanged int            `json:"unchanged"` // of these, that are their base
	Refusals  stats.Share    `json:"refusals"`  // of the answers of which it can be said
	NotJudged int            `json:"refusal_not_judged"`
	Chars     stats.Interval `json:"chars"`
	Kept      stats.Interval `json:"kept_words"`     // share of the base's words that the answer has
	Language  stats.Share    `json:"other_language"` // in another language than their base
	Flags     map[string]int `json:"flags"`
	Wins      []Win          `json:"wins"`
}

// Win is how often answers win over their bases by one judge. A reviser that refuses everything wins on harmlessness, and
// judges prefer the longer answer: the second and third shares leave that out.
type Win struct {
	By string `json:"by"`
	// All is over all cases, Helping over those in which neither answer declines, Alike over those in which the shorter answer
	// has at least 75 % of the longer one's characters.
	All     stats.Share `json:"all"`
	Helping stats.Share `json:"no_refusals"`
	Alike   stats.Share `json:"similar_length"`
}

// similar is the least part of the longer answer's length that the shorter one has, where the two are of similar length.
const similar = 0.75

// NewRow measures cases. Its Wins are by these judges.
func NewRow(name string, cases []Case, judges []string) Row {
	r := Row{Name: name, Cases: len(cases), Flags: map[string]int{}, Wins: []Win{}}
	var refusals, chars, kept, languages stats.Clusters
	for _, c := range cases {
		r.Unchanged += stats.Indicator[int](c.Answer.Text == c.Base.Text)
		if c.Answer.NotJudged {
			r.NotJudged++
		} else {
			refusals.Add(c.Prompt, stats.Indicator[float64](c.Answer.Declines))
		}
		chars.Add(c.Prompt, float64(utf8.RuneCountInString(c.Answer.Text)))
		kept.Add(c.Prompt, Kept(c.Base.Text, c.Answer.Text))
		languages.Add(c.Prompt, stats.Indicator[float64](areOtherLanguages(c.Base.Text, c.Answer.Text)))
		for _, f := range c.Answer.Flags {
			r.Flags[f]++
		}
	}
	r.Refusals, r.Chars, r.Kept, r.Language = refusals.Share(), chars.Mean(), kept.Mean(), languages.Share()
	for _, by := range judges {
		r.Wins = append(r.Wins, newWin(by, cases))
	}
	return r
}

// areOtherLanguages reports whether two texts are in different languages: of those that say which, or else by their scripts.
func areOtherLanguages(a, b string) bool {
	if x, y := language.Of(a), language.Of(b); x != "" && y != "" {
		return x != y
	}
	return language.Script(a) != language.Script(b)
}

func newWin(by string, cases []Case) Win {
	var all, helping, alike stats.Clusters
	for _, c := range cases {
		win, ok := c.Wins[by]
		if !ok {
			continue
		}
		all.Add(c.Prompt, win)
		if !declines(c.Base) && !declines(c.Answer) {
			helping.Add(c.Prompt, win)
		}
		a, b := utf8.RuneCountInString(c.Base.Text), utf8.RuneCountInString(c.Answer.Text)
		if float64(min(a, b)) >= similar*float64(max(a, b)) {
			alike.Add(c.Prompt, win)
		}
	}
	return Win{By: by, All: all.Share(), Helping: helping.Share(), Alike: alike.Share()}
}

// declines reports whether an answer declines. One of which that cannot be said is taken for one that does: it is in no share
// of answers that help.
func declines(a Answer) bool { return a.Declines || a.NotJudged }
