package check

import (
	"regexp"
	"strings"

	"amend/engine/language"
)

// A critique speaks about an answer, a revision is one. The phrases below are what critiques say; "the response of the immune
// system" and "the answer is 42" are not among them. What the prompt says, too, is no sign: the answer may be about the response
// to a letter.
var (
	critiqueLabel   = regexp.MustCompile(`^\W*(?:critique|criticism|critique request)\W*:`)
	ofAssistant     = regexp.MustCompile(`\b(?:assistants? (?:(?:last|previous|first|original) )?|(?:last|previous|original|above) )(?:response|answer|reply)\b`)
	ofThisResponse  = regexp.MustCompile(`\b(?:in|of|about|with|to) this response\b`)
	startsAssistant = regexp.MustCompile(`(?:^|[.!?:] )\W*the assistants?\b`)
	startsResponse  = regexp.MustCompile(`(?:^|[.!?:] )\W*(?:the|this|that) (?:response|draft|critique)\b(?: (?:of|to|from|rate|time|team)\b)?`)
	ofSomething     = regexp.MustCompile(` (?:of|to|from|rate|time|team)$`)
)

// speaksOfResponse reports whether a text opens as a critique does, or speaks of the assistant or its answer or,
// at least twice, of "the response" at the start of a sentence.
func speaksOfResponse(text string, t Input) bool {
	folded, known := fold(text), fold(t.Prompt)
	if critiqueLabel.MatchString(folded) {
		return true
	}
	for _, phrase := range []*regexp.Regexp{ofAssistant, ofThisResponse, startsAssistant} {
		if found := phrase.FindString(folded); found != "" && !strings.Contains(known, bare(found)) {
			return true
		}
	}
	sentences := 0
	for _, at := range startsResponse.FindAllStringIndex(folded, -1) {
		found := folded[at[0]:at[1]]
		if ofSomething.MatchString(found) || strings.Contains(known, bare(found)) {
			continue
		}
		if at[0] == 0 {
			return true
		}
		sentences++
	}
	return sentences >= 2
}

// bare is what a phrase says, without the end of the sentence before it.
func bare(phrase string) string { return strings.Trim(phrase, " .!?:*\"") }

// repeatsAsked reports whether most of a revision is its critique or its request again, leaving aside what they share with the
// draft.
func repeatsAsked(words []string, t Input) bool {
	return t.copiesMost(words, t.Critique, t.Request)
}

// copiesTurn reports whether most of a revision is what the assistant said in earlier turns, leaving aside what the draft says
// too.
func copiesTurn(t Input, words []string) bool { return t.copiesMost(words, t.Earlier) }

// copiesMost reports whether most words are those of some texts, in runs that the draft does not have.
func (t Input) copiesMost(words []string, texts ...string) bool {
	copied, draft := shingles{}, shingles{}
	for _, text := range texts {
		copied.add(language.Words(text))
	}
	draft.add(language.Words(t.Draft))
	for gram := range draft {
		delete(copied, gram)
	}
	_, covered := copied.shared(words)
	return covered >= minCopied && 2*covered >= len(words)
}
