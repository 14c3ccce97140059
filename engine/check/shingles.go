package check

import "strings"

// Copying is measured in runs of words that two texts share.
const (
	shingleWords = 5  // the shortest run that counts as shared
	copiedRun    = 12 // a shared run of so many words is copied, however long the turn
	minCopied    = 8  // a run of so many is, when half of the turn is shared
)

// shingles is the set of all runs of shingleWords words in some texts.
type shingles map[string]struct{}

func (s shingles) add(words []string) {
	for i := 0; i+shingleWords <= len(words); i++ {
		s[strings.Join(words[i:i+shingleWords], " ")] = struct{}{}
	}
}

// shared returns the longest run of words and the number of words in all runs that the set accounts for.
func (s shingles) shared(words []string) (longest, covered int) {
	run, end := 0, 0 // words in the present run, and where the last shared one ended
	for i := 0; i+shingleWords <= len(words); i++ {
		if _, ok := s[strings.Join(words[i:i+shingleWords], " ")]; !ok {
			run = 0
			continue
		}
		run++
		longest = max(longest, run+shingleWords-1)
		covered += i + shingleWords - max(end, i)
		end = i + shingleWords
	}
	return longest, covered
}

func (s shingles) suppliedMostOf(words []string) bool {
	longest, covered := s.shared(words)
	return longest >= copiedRun || longest >= minCopied && 2*covered >= len(words)
}
