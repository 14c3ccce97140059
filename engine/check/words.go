package check

import (
	"strings"
	"unicode"

	"amend/engine/language"
)

func isEmpty(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSymbol(r)
	})
}

// fold lower-cases a text, drops quotation marks and turns each stretch of white space into one space.
func fold(text string) string {
	text = strings.Map(func(r rune) rune {
		if language.IsQuote(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
