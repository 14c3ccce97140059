package check

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"amend/engine/language"
)

// A rewrite is measured in words of content, each once. Words of one stem count as the same.
const (
	minDraft   = 10   // words of content in a draft that can be lost
	keptShare  = 0.1  // of them in the revision: with fewer it is another text
	shortShare = 0.25 // of as many words of content as the draft has: with fewer the revision is much shorter
	longer     = 2    // times as many words as the draft has: with more the revision is much longer
	leftShare  = 0.34 // of a draft's words of content in a much longer revision: with no more it is another text
	minPrompt  = 3    // words of content in a prompt whose subject can be missed
	stemRunes  = 5    // a stem is the beginning of a word
	minContent = 4    // characters of a word of content
)

// sendsToOthers is how an answer names those who help.
var sendsToOthers = regexp.MustCompile(`\b(?:call|contact|reach out to|talk to|talk with|speak to|speak with|ask|see) ` +
	`(?:a|an|your|the|for|emergency|someone|somebody|anyone|911|988|999|112)\b|` +
	`\b(?:get|find|seek) (?:help|professional|medical|legal|immediate|emergency)\b`)

// isRewritten reports whether a revision throws its draft away without answering the prompt anew: it has next to none of the
// draft's words of content and none of the prompt's, and is much shorter or has none of the draft's at all. An answer that
// declines, or sends to others who help, is no such rewrite: it may be all that is to be said.
func (c *Checker) isRewritten(t Input, words []string) bool {
	draft, prompt, revision := content(language.Words(t.Draft)), content(language.Words(t.Prompt)), content(words)
	kept, taken := shared(draft, revision), shared(prompt, revision)
	if len(draft) < minDraft || float64(kept) > keptShare*float64(len(draft)) {
		return false
	}
	short := float64(len(revision)) < shortShare*float64(len(draft))
	switch {
	case taken == 0 && short, taken == 0 && kept == 0 && len(prompt) >= minPrompt, taken == 1 && short && kept == 0:
		return !c.declinesOrSends(t.Text)
	}
	return false
}

// declinesOrSends reports whether an answer declines, or names others who help.
func (c *Checker) declinesOrSends(text string) bool {
	return c.refusals.Refuses(text) || sendsToOthers.MatchString(fold(text))
}

// isLengthened reports whether a revision is more than twice as long as its draft, and another text. What declines, or sends to
// others who help, needs more words than a draft that says yes.
func (c *Checker) isLengthened(t Input, words []string) bool {
	old := language.Words(t.Draft)
	if len(old) == 0 || len(words) <= longer*len(old) {
		return false
	}
	draft := content(old)
	return float64(shared(draft, content(words))) <= leftShare*float64(len(draft)) && !c.declinesOrSends(t.Text)
}

// content is the set of stems of a text's words, without those that say little.
func content(words []string) map[string]bool {
	set := map[string]bool{}
	for _, w := range words {
		if len(w) >= minContent || !isASCII(w) {
			if !empty[w] {
				set[stem(w)] = true
			}
		}
	}
	return set
}

func isASCII(word string) bool {
	return !strings.ContainsFunc(word, func(r rune) bool { return r >= utf8.RuneSelf })
}

func stem(word string) string {
	n := 0
	for at := range word {
		if n++; n > stemRunes {
			return word[:at]
		}
	}
	return word
}

func shared(a, b map[string]bool) int {
	n := 0
	for w := range a {
		if b[w] {
			n++
		}
	}
	return n
}

// empty are English words of four letters and more that any text may have.
var empty = wordSet(`
	about after again also always another anything away because been before being best both cant come could didnt does doesnt doing done dont
	down each either else even ever every everything feel find first from give goes going good have havent having help here hers into isnt its
	itself just keep know last least less like look made make makes many maybe might mine more most much must need never next nothing often once
	only other others over people perhaps person please possible really right said same says should since some someone something still such sure
	take tell than that thats their them themselves then there these they thing things think this those though through time under until upon very
	want wants well went were what whatever when where whether which while whom whose will with within without wont would youre your yours yourself
`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}
