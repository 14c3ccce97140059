package main

import (
	"regexp"
	"strings"
	"unicode"

	"amend/engine/refusal"
)

// opening is the rule that amend had before the detector, for comparison.
var opening = regexp.MustCompile(`^\W*(?:(?:(?:im|i am) )?(?:very |really |so )?sorry\b.{0,60}?\b(?:cant|cannot|can not|wont|will not|unable|not able)\b` +
	`|(?:unfortunately )?i (?:cant|cannot|can not|wont|will not|must decline|am not able|am unable)\b` +
	`|as an? (?:ai|language model|assistant)\b.{0,60}?\b(?:cant|cannot|can not|wont|will not|unable|not able)\b|(?:no|sorry) i (?:cant|cannot|wont)\b)`)

// rule says whether an answer opens by declining.
func rule(text string) refusal.Verdict {
	const read = 400 // bytes
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune("\"'`´‘’‚“”„«»‹›", r) {
			return -1
		}
		return unicode.ToLower(r)
	}, strings.ToValidUTF8(text[:min(len(text), read)], ""))
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) })
	if opening.MatchString(strings.Join(words, " ")) {
		return refusal.Full
	}
	return refusal.None
}
