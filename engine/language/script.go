package language

import (
	"iter"
	"unicode"
)

// scripts are those that are told apart. Letters of any other are of script Other.
var scripts = []string{
	"Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Han", "Hangul", "Devanagari", "Thai",
	"Armenian", "Bengali", "Georgian", "Gujarati", "Gurmukhi", "Kannada", "Khmer", "Lao", "Malayalam", "Myanmar", "Sinhala", "Tamil", "Telugu",
}

// Other is the script of letters in scripts that are not told apart.
const Other = "other"

// ScriptOf is the script of a letter; "" of what is no letter. Japanese is written in three, which count as Han.
func ScriptOf(r rune) string {
	switch {
	case r <= unicode.MaxASCII && unicode.IsLetter(r):
		return "Latin"
	case !unicode.IsLetter(r):
		return ""
	case unicode.In(r, unicode.Hiragana, unicode.Katakana):
		return "Han"
	}
	for _, name := range scripts {
		if unicode.Is(unicode.Scripts[name], r) {
			return name
		}
	}
	return Other
}

// Script is the script of most of a text's letters; "" where it has none.
func Script(text string) string {
	count := map[string]int{}
	best := ""
	for _, r := range text {
		name := ScriptOf(r)
		if name == "" {
			continue
		}
		if count[name]++; count[name] > count[best] || count[name] == count[best] && name < best {
			best = name
		}
	}
	return best
}

// Runs yields the stretches of a text's letters that are of one script, with their scripts. Marks belong to the letter before.
func Runs(text string) iter.Seq2[string, string] {
	return func(yield func(run, script string) bool) {
		start, script := 0, ""
		for at, r := range text {
			s := ScriptOf(r)
			if s == script || script != "" && unicode.IsMark(r) {
				continue
			}
			if script != "" && !yield(text[start:at], script) {
				return
			}
			start, script = at, s
		}
		if script != "" {
			yield(text[start:], script)
		}
	}
}
