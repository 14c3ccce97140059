package check

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"amend/engine/language"
)

// Repetition. A loop is a unit that follows itself without a break; lists with a common opening, refrains and
// "very, very" are not loops. The limits were set on turns of SmolLM2-135M, which loops in most greedy turns, and
// on the chosen answers of hh-rlhf, which hardly ever do.
const (
	maxPeriod     = 60  // words in a unit
	tailCopies    = 3   // of a unit at the end of a text …
	innerCopies   = 4   // … and anywhere else
	minLoopWords  = 9   // in all copies together, so that "no, no, no" is not a loop
	repeatedGram  = 4   // words; a text is also repeating when
	repeatedShare = 0.4 // this share of its grams occurred earlier in it
	minGrams      = 20  // and it has at least so many
	maxRunePeriod = 30  // characters in a unit without spaces
	minRuneLoop   = 40  // characters in all its copies
	minCounted    = 8   // words without digits in a unit whose copies count
	minRulerLoop  = 120 // the same where the unit has no letters, as in ruled lines
)

// listMarker is a number or bullet at the start of a line: in a loop it may count up.
var listMarker = regexp.MustCompile(`(?m)^\s*(?:\d+[.)]|[-*•])\s+`)

func isRepeating(text string) bool {
	words := language.Words(listMarker.ReplaceAllString(text, ""))
	return hasLoop(words) || repeatsGrams(words) || endsInRuneLoop(text) || countsInLoop(words)
}

// countsInLoop finds loops whose copies differ by numbers alone. Tables and lists of dates have short units, and are none.
func countsInLoop(words []string) bool {
	masked := slices.Clone(words)
	for i, w := range masked {
		if strings.ContainsFunc(w, unicode.IsDigit) {
			masked[i] = number
		}
	}
	for period := minCounted; period <= min(maxPeriod, len(words)/innerCopies); period++ {
		run := period
		for i := period; i < len(masked); i++ {
			if masked[i] != masked[i-period] {
				run = period
				continue
			}
			if run++; run >= innerCopies*period && isSentence(masked[i-period+1:i+1]) {
				return true
			}
		}
	}
	return false
}

// number stands for a word with digits.
const number = "0"

// isSentence reports whether a unit of a loop is long enough for copies that count, and no loop itself.
func isSentence(unit []string) bool {
	letters := 0
	for _, w := range unit {
		if w != number {
			letters++
		}
	}
	for period := 1; period <= len(unit)/2; period++ {
		if len(unit)%period == 0 && slices.Equal(unit[period:], unit[:len(unit)-period]) {
			return false
		}
	}
	return letters >= minCounted
}

// hasLoop reports whether a unit of up to maxPeriod words follows itself often enough.
func hasLoop(words []string) bool {
	for period := 1; period <= min(maxPeriod, len(words)/tailCopies); period++ {
		run := period // words up to here that continue a loop of this period
		for i := period; i < len(words); i++ {
			if words[i] != words[i-period] {
				run = period
				continue
			}
			run++
			copies := innerCopies
			if i == len(words)-1 {
				copies = tailCopies
			}
			if run >= max(copies*period, minLoopWords) {
				return true
			}
		}
	}
	return false
}

// repeatsGrams reports whether a large share of the word 4-grams are there more than once.
func repeatsGrams(words []string) bool {
	total := len(words) - repeatedGram + 1
	if total < minGrams {
		return false
	}
	distinct := map[string]struct{}{}
	for i := range total {
		distinct[strings.Join(words[i:i+repeatedGram], " ")] = struct{}{}
	}
	return float64(total-len(distinct)) >= repeatedShare*float64(total)
}

// endsInRuneLoop finds loops inside one endless word, or of punctuation.
func endsInRuneLoop(text string) bool {
	runes := []rune(strings.TrimSpace(text))
	for period := 1; period <= min(maxRunePeriod, len(runes)/2); period++ {
		run := period
		for i := len(runes) - 1; i >= period && runes[i] == runes[i-period]; i-- {
			run++
		}
		need := minRuneLoop
		if !slices.ContainsFunc(runes[len(runes)-period:], unicode.IsLetter) {
			need = minRulerLoop
		}
		if run >= max(need, tailCopies*period) {
			return true
		}
	}
	return false
}
