package check

import "regexp"

// A critique speaks about an answer, a revision is one. The phrases below are what critiques say; "the
// response of the immune system" and "the answer is 42" are not among them.
var (
	critiqueLabel  = regexp.MustCompile(`^\W*(?:critique|criticism|critique request)\W*:`)
	aboutAssistant = regexp.MustCompile(`\b(?:assistants? (?:(?:last|previous|first|original) )?|(?:last|previous|original|above) )(?:response|answer|reply)\b`)
	aboutResponse  = regexp.MustCompile(`(?:^|[.!?:] )\W*(?:the|this|that) (?:response|draft|critique)\b(?: (?:of|to|from|rate|time|team)\b)?`)
	ofSomething    = regexp.MustCompile(` (?:of|to|from|rate|time|team)$`)
)

// speaksOfResponse reports whether a text opens as a critique does, or speaks of the assistant's answer or,
// at least twice, of "the response" at the start of a sentence.
func speaksOfResponse(text string) bool {
	folded := fold(text)
	if critiqueLabel.MatchString(folded) || aboutAssistant.MatchString(folded) {
		return true
	}
	sentences := 0
	for _, at := range aboutResponse.FindAllStringIndex(folded, -1) {
		if ofSomething.MatchString(folded[at[0]:at[1]]) {
			continue
		}
		if at[0] == 0 {
			return true
		}
		sentences++
	}
	return sentences >= 2
}

// repeatsCritique reports whether most of a revision is its critique again, leaving aside what both took
// from the draft.
func repeatsCritique(words []string, t Input) bool {
	critique, draft := shingles{}, shingles{}
	critique.add(foldWords(t.Critique))
	draft.add(foldWords(t.Draft))
	for gram := range draft {
		delete(critique, gram)
	}
	_, covered := critique.shared(words)
	return covered >= minCopied && 2*covered >= len(words)
}

var revisionOpening = regexp.MustCompile(`^\W*(?:(?:sure|certainly|of course|okay|ok|absolutely|yes)\W+)?` +
	`(?:(?:here is|heres|here are|this is|below is|the following is)\W+(?:\w+\W+){0,3})?` +
	`(?:revised|rewritten|reworded|rephrased|updated|improved|corrected|edited)\W+(?:\w+\W+){0,2}?(?:version|response|answer|reply|message|text|draft|one)\b` +
	`|^\W*(?:revision|revised)\W*:`)

// announcesRevision reports whether a text opens by presenting a revision instead of being one.
func announcesRevision(text string) bool {
	return revisionOpening.MatchString(fold(text))
}
