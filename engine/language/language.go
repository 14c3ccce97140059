// Package language tells languages apart by their scripts and their commonest words. It claims a language only where enough
// speaks for it: lists, names and code have none.
package language

import (
	"iter"
	"maps"
	"slices"
)

// Counts are how many of a text's words are among the commonest of each language. A word counts once: a name that is
// repeated is no sign of a language.
type Counts struct {
	words int
	of    map[string]int
}

// Count counts lower-case words.
func Count(words iter.Seq[string]) Counts {
	c := Counts{of: map[string]int{}}
	seen := map[string]bool{}
	for w := range words {
		if seen[w] {
			continue
		}
		seen[w] = true
		c.words++
		for _, language := range common[w] {
			c.of[language]++
		}
	}
	return c
}

// Exceeds reports whether another language has more of its commonest words in a text than the given one, and enough of them
// to be meant.
func (c Counts) Exceeds(given string) bool {
	for language, n := range c.of {
		if language != given && n > c.of[given] && (n >= 3 || n == 2 && c.words <= 4) {
			return true
		}
	}
	return false
}

// Clear returns the language that has at least twice as many of its commonest words in a text as any other, and at least the given
// number; "" where none has.
func (c Counts) Clear(least int) string {
	codes := slices.SortedFunc(maps.Keys(c.of), func(a, b string) int { return c.of[b] - c.of[a] })
	switch {
	case len(codes) == 0 || c.of[codes[0]] < least:
		return ""
	case len(codes) > 1 && c.of[codes[0]] < 2*c.of[codes[1]]:
		return ""
	}
	return codes[0]
}
