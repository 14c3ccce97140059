package compare

import (
	"strings"
	"unicode"
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
	for _, w := range words(text) {
		have[w]++
	}
	all := words(base)
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

// words are a text's words in lower case. In scripts that put no spaces between words each character is one.
func words(text string) []string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case unicode.In(r, unspaced()...):
			b.WriteString(" " + string(r) + " ")
		case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r):
			b.WriteRune(r)
		case r == '\'', r == '’':
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Fields(b.String())
}

func unspaced() []*unicode.RangeTable {
	return []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}
}

// Script is the script of most of a text's letters; "" where it has none. A text in another script than the one it answers is in
// another language.
func Script(text string) string {
	count := map[string]int{}
	best := ""
	for _, r := range text {
		if !unicode.IsLetter(r) {
			continue
		}
		name := scriptOf(r)
		if count[name]++; count[name] > count[best] || count[name] == count[best] && name < best {
			best = name
		}
	}
	return best
}

// scriptOf is the script of a letter. Japanese is written in three.
func scriptOf(r rune) string {
	if unicode.In(r, unicode.Hiragana, unicode.Katakana) {
		return "Han"
	}
	for _, name := range []string{"Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Han", "Hangul", "Devanagari", "Thai"} {
		if unicode.Is(unicode.Scripts[name], r) {
			return name
		}
	}
	return "other"
}
