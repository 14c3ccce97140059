package language

import (
	"strings"
	"unicode"
)

// Words splits a text into lower-case words: runs of letters, marks and digits, also across quotation marks. In scripts that
// put no spaces between words each character counts as one.
func Words(text string) []string {
	var words []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range text {
		switch {
		case IsQuote(r):
		case isUnspaced(r):
			flush()
			words = append(words, string(r))
		case unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r):
			word.WriteRune(unicode.ToLower(r))
		default:
			flush()
		}
	}
	flush()
	return words
}

// IsQuote reports whether a character is a quotation mark or an apostrophe.
func IsQuote(r rune) bool {
	return strings.ContainsRune("\"'`´‘’‚“”„«»‹›", r)
}

func isUnspaced(r rune) bool {
	return r > unicode.MaxLatin1 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
