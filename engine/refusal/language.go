package refusal

import (
	"iter"

	"amend/engine/language"
)

// english reports whether a text may be English. It says no only where something speaks against it: most letters are of another
// script, or the commonest words of another language are more frequent than those of English. Lists, names and code pass.
func english(text string, all [][]string) bool {
	return isLatin(text) && !language.Count(each(all)).Exceeds("en")
}

// each yields the words of sentences.
func each(sentences [][]string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, s := range sentences {
			for _, w := range s {
				if !yield(w) {
					return
				}
			}
		}
	}
}

// isLatin reports whether most letters of a text are Latin. A text without letters passes.
func isLatin(text string) bool {
	script := language.Script(text)
	return script == "" || script == "Latin"
}
