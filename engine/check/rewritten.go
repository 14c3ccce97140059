package check

import (
	"strings"
	"unicode/utf8"

	"amend/engine/language"
)

// A rewrite is measured in words of content, each once. Words of one stem count as the same.
const (
	minDraft   = 10   // words of content in a draft that can be lost
	keptShare  = 0.08 // of them in the revision: with fewer it is another text …
	shortShare = 0.25 // … and where it has fewer words of content than this share of the draft's, it puts little in their place
	minPrompt  = 4    // words of content in a prompt whose subject can be missed
	stemRunes  = 5    // a stem is the beginning of a word
	minContent = 4    // characters of a word of content
)

// isRewritten reports whether a revision throws its draft away without answering the prompt anew: it has next to none of the
// draft's words, and none of the prompt's, or it is a fraction of the draft with one of the prompt's. An answer that declines
// is no rewrite.
func (c *Checker) isRewritten(t Input, words []string) bool {
	draft, revision := content(language.Words(t.Draft)), content(words)
	if len(draft) < minDraft || float64(shared(draft, revision)) > keptShare*float64(len(draft)) {
		return false
	}
	if c.refusals.Refuses(t.Text) {
		return false
	}
	prompt := content(language.Words(t.Prompt))
	taken := shared(prompt, revision)
	if float64(len(revision)) < shortShare*float64(len(draft)) {
		return taken <= 1
	}
	return taken == 0 && len(prompt) >= minPrompt
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
