package constitution

import "strings"

// SameLanguage reports whether two texts name one language. Each is a tag, such as en, EN, en-US or eng_Latn, or an English
// name, such as English. Regions and scripts do not count.
func SameLanguage(a, b string) bool { return a == b || primaryLanguage(a) == primaryLanguage(b) }

// primaryLanguage is the code of a language that a tag or an English name names, or else its first word in lower case.
func primaryLanguage(text string) string {
	name := strings.ToLower(text)
	if i := strings.IndexAny(name, "(;,"); i > 0 { // Portuguese (Brazil)
		name = name[:i]
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" \t-_.@", r) })
	if len(words) == 0 {
		return name
	}
	whole := strings.Join(words, " ")
	if code := languageCode(whole); code != whole {
		return code
	}
	first, last := words[0], words[len(words)-1]
	if code := languageCode(first); code != first {
		return code
	}
	if code := languageCode(last); len(first) > 3 && code != last && len(last) > 3 { // Brazilian Portuguese
		return code
	}
	return first
}

// knownLanguage reports whether a text could be the tag of a language, or is the English name of one.
func knownLanguage(text string) bool { return len(primaryLanguage(text)) <= 3 }
