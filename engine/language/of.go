package language

import (
	"slices"
	"strings"
	"unicode"
)

// minWords is how many different common words of a language a text has at least that Of says to be in it.
const minWords = 2

// byScript are the languages that have a script to themselves.
var byScript = map[string]string{"Han": "zh", "Hangul": "ko", "Thai": "th", "Greek": "el", "Hebrew": "he"}

// Of names the language that most of a text is in, by its code of ISO 639-1, or the script where that serves several
// languages, as in "Cyrillic script". It is "" where neither is recognised.
func Of(text string) string {
	switch script := Script(text); {
	case script == "Latin":
		return Count(slices.Values(Words(text))).most()
	case script == "Han" && strings.ContainsFunc(text, isKana):
		return "ja"
	case script == "" || script == Other:
		return ""
	case byScript[script] != "":
		return byScript[script]
	default:
		return script + " script"
	}
}

func isKana(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) }

// most is the language with the most of its commonest words; "" where two have as many.
func (c Counts) most() string {
	best, second := "", ""
	for code, n := range c.of {
		switch {
		case n > c.of[best]:
			best, second = code, best
		case n > c.of[second]:
			second = code
		}
	}
	if c.of[best] < minWords || c.of[best] == c.of[second] {
		return ""
	}
	return best
}
