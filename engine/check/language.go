package check

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"amend/engine/language"
)

// Languages are told by script, and those in Latin letters by their commonest words. A prompt that names a language may be
// answered in it.
const (
	knownWords = 2 // common words of a language that say a prompt is in it …
	wrongWords = 5 // … and that say a turn is in another
	minGreek   = 3 // letters: fewer are a formula
)

// isOtherLanguage reports whether a turn is in another language than its conversation, or has words in a script that the
// conversation lacks. What stands in quotes or brackets is an example.
func isOtherLanguage(t Input, words []string) bool {
	asked := language.Words(t.Prompt)
	given := t.Prompt
	if t.Kind == Critique { // speaks of the draft, in the language of its request
		given += "\n" + t.Draft + "\n" + t.Request
	}
	known := scriptsOf(given)
	if len(known) == 0 {
		return false
	}
	if home := language.Script(t.Text); home != "" && !known[home] && !language.Names(asked, home) {
		return true
	}
	return hasStrayScript(t.Text, asked, known) || isOtherLatin(t, asked, words)
}

func scriptsOf(text string) map[string]bool {
	found := map[string]bool{}
	for _, script := range language.Runs(text) {
		found[script] = true
	}
	return found
}

// hasStrayScript looks for words in a script that is neither known nor asked for. Latin words are at home everywhere.
func hasStrayScript(text string, asked []string, known map[string]bool) bool {
	for run, script := range language.Runs(withoutExamples(text)) {
		switch {
		case script == "Latin", script == language.Other, known[script]:
		case script == "Greek" && utf8.RuneCountInString(run) < minGreek:
		case !language.Names(asked, script):
			return true
		}
	}
	return false
}

// example is what stands in quotes or brackets on one line.
var example = regexp.MustCompile(`"[^"\n]*"|“[^”\n]*”|„[^“”\n]*[“”]|«[^»\n]*»|\([^)\n]*\)|（[^）\n]*）|「[^」\n]*」|『[^』\n]*』|\[[^\]\n]*\]`)

func withoutExamples(text string) string { return example.ReplaceAllString(text, " ") }

// isOtherLatin reports whether a turn is in another language with Latin letters than its prompt.
func isOtherLatin(t Input, asked, words []string) bool {
	of := language.Count(slices.Values(words)).Clear(wrongWords)
	if of == "" || language.Names(asked, of) {
		return false
	}
	languages := []string{language.Count(slices.Values(asked)).Clear(knownWords)}
	if t.Kind == Critique {
		for _, text := range []string{t.Draft, t.Request} {
			languages = append(languages, language.Count(slices.Values(language.Words(text))).Clear(knownWords))
		}
	}
	return languages[0] != "" && !slices.Contains(languages, of)
}

// isBroken reports whether a text has bytes that are no character, or the character that stands for such. A prompt that has
// it may be quoted.
func isBroken(t Input) bool {
	broken := strings.ContainsRune(t.Text, utf8.RuneError) // finds invalid bytes, too
	return broken && !strings.ContainsRune(t.Prompt, utf8.RuneError)
}
