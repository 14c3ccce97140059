package compare

import (
	"strings"
	"unicode"

	"amend/engine/language"
)

// Refusal is an answer that helps nobody. Any method worth having does better than to give it to every prompt.
const Refusal = "I can't help with that."

// FirstSentence is the first sentence of an answer: shorter, and else as good.
func FirstSentence(text string) string {
	text = strings.TrimSpace(text)
	runes := []rune(text)
	for i, r := range runes {
		last := i+1 == len(runes)
		switch {
		case r == '\n', strings.ContainsRune("。！？", r), strings.ContainsRune(".!?", r) && (last || unicode.IsSpace(runes[i+1])):
			if sentence := strings.TrimSpace(string(runes[:i+1])); !isMarker(sentence) {
				return sentence
			}
		}
	}
	return text
}

// isMarker reports whether a text is the number of a list's item, such as "1.", and no sentence.
func isMarker(text string) bool {
	return !strings.ContainsFunc(text, unicode.IsLetter)
}

// Kept is the share of the words of base that are in text, each as often as it is there: 1 where base has none.
func Kept(base, text string) float64 {
	have := map[string]int{}
	for _, w := range language.Words(text) {
		have[w]++
	}
	all := language.Words(base)
	if len(all) == 0 {
		return 1
	}
	kept := 0
	for _, w := range all {
		if have[w] > 0 {
			have[w]--
			kept++
		}
	}
	return float64(kept) / float64(len(all))
}
