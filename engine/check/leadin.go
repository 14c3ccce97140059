package check

import (
	"regexp"
	"strings"
)

// A lead-in is what stands before the revision: a phrase that presents it, up to a colon or the end of the line. A few words of
// goodwill may stand before it.
var (
	revisedThing = `(?:revised|rewritten|reworded|rephrased|updated|improved|corrected|edited)\W+(?:\w+\W+){0,2}?(?:version|response|answer|reply|message|text|draft|one)\b`
	goodwill     = `(?:(?:sure|certainly|of course|okay|ok|absolutely|yes|understood|got it|id be (?:happy|glad) to(?: help)?(?: you)?(?: with that)?|im happy to help|happy to help|i apologize[^.:]*|sorry[^.:]*|thank you[^.:]*|thanks[^.:]*)\W+){0,3}`
	presents     = `(?:(?:here is|heres|here are|this is|below is|the following is)\W+(?:\w+\W+){0,3})?`

	revisionOpening = regexp.MustCompile(`^\W*` + goodwill + presents + revisedThing + `|^\W*(?:revision|revised)\W*:`)
	leadInEnd       = regexp.MustCompile(`[:：]\W*|\n+`)
)

// maxLeadIn is how many bytes a lead-in may take.
const maxLeadIn = 250

// announcesRevision reports whether a text opens by presenting a revision instead of being one.
func announcesRevision(text string) bool { return revisionOpening.MatchString(fold(text)) }

// withoutLeadIn returns a text without its lead-in, and whether it had one.
func withoutLeadIn(text string) (string, bool) {
	if !announcesRevision(text) {
		return text, false
	}
	text = strings.TrimSpace(text)
	if at := leadInEnd.FindStringIndex(text[:min(len(text), maxLeadIn)]); at != nil {
		return text[at[1]:], true
	}
	return text, true
}
