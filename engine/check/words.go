package check

import (
	"strings"
	"unicode"
)

func isEmpty(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSymbol(r)
	})
}

// fold lower-cases a text, drops quotation marks and turns each stretch of white space into one space.
func fold(text string) string {
	text = strings.Map(func(r rune) rune {
		if isQuote(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

func isQuote(r rune) bool {
	return strings.ContainsRune("\"'`´‘’‚“”„«»‹›", r)
}

// foldWords splits a folded text at everything that is neither letter, mark nor digit. In scripts that put no
// spaces between words each character counts as one.
func foldWords(text string) []string {
	var words []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range fold(text) {
		switch {
		case isUnspaced(r):
			flush()
			words = append(words, string(r))
		case unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r):
			word.WriteRune(r)
		default:
			flush()
		}
	}
	flush()
	return words
}

func isUnspaced(r rune) bool {
	return r > unicode.MaxLatin1 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
