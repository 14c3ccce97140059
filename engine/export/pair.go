package export

import (
	"slices"
	"sync"

	"amend/engine/language"
	"amend/engine/refusal"
)

const (
	// leastDistance is the least share of words in which the answers of a pair must differ. Of 1,156 pairs of hh-rlhf's
	// harmless test set one in a hundred is below 0.6. A revision that replaces one short sentence of four, as the testbed's
	// do, is at 0.1; a "Yes" that became a "No" before the same 20 words, which says nothing new, at 0.045.
	leastDistance = 0.05
	// shortRefusal is how many words a refusal has at most that only says no. Those of XSTest's completions have 7 to 20, or
	// more than 40 where they say why or what would help.
	shortRefusal = 25
)

// distance is the share of words in which two texts differ, of the longer one's: 0 where they have the same words, 1 where
// they have none in common, or none at all. The order of words does not count.
func distance(a, b []string) float64 {
	longer := max(len(a), len(b))
	if longer == 0 {
		return 1
	}
	left := map[string]int{}
	for _, w := range a {
		left[w]++
	}
	common := 0
	for _, w := range b {
		if left[w] > 0 {
			left[w]--
			common++
		}
	}
	return 1 - float64(common)/float64(longer)
}

// same reports whether two answers say the same: in the same words, whatever their case and punctuation. Texts without words
// are the same where they are equal.
func same(a, b string) bool {
	if a == b {
		return true
	}
	x, y := language.Words(a), language.Words(b)
	return len(x) > 0 && slices.Equal(x, y)
}

// unfit says why two answers are no pair; "" where they are one.
func unfit(chosen, rejected string) Reason {
	a, b := language.Words(chosen), language.Words(rejected)
	switch {
	case distance(a, b) < leastDistance:
		return TooAlike
	case max(len(a), len(b)) <= shortRefusal && declines(chosen) && declines(rejected):
		return BothDecline
	}
	return ""
}

// detector finds refusals.
var detector = sync.OnceValues(refusal.Load)

// declines reports whether an answer declines in full.
func declines(text string) bool {
	d, err := detector()
	return err == nil && d.Refuses(text) // Write reports the error
}
