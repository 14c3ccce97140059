// Package check finds faults in turns by fixed rules. A rule looks at form, and claims a fault only where it is plain: docs/checks.md
// says how often it is right.
package check

import (
	"amend/engine/language"
	"amend/engine/refusal"
)

// Flag names one fault that a check found in a finished turn. Flags describe a turn, they do not stop it.
type Flag string

// The flags, in the order in which Check returns them.
const (
	Cut                Flag = "cut"                  // ended by the token limit, not by the model
	Thinking           Flag = "thinking"             // thoughts took the whole limit, so there is no answer
	Empty              Flag = "empty"                // nothing in it, or only punctuation
	InvalidUTF8        Flag = "invalid-utf8"         // has bytes that are no character
	OtherLanguage      Flag = "other-language"       // in another language or script than the conversation, or with words of one
	Unchanged          Flag = "unchanged"            // the draft again, except for case, quotes and white space
	Rewritten          Flag = "rewritten"            // next to nothing of the draft is left, and the prompt is not answered
	Lengthened         Flag = "lengthened"           // next to nothing of the draft is left, and it is more than twice as long
	CopiedTurn         Flag = "copied-turn"          // what the assistant said earlier in the conversation
	Repeating          Flag = "repeating"            // caught in a loop, or saying the same thing over and over
	Refusal            Flag = "refusal"              // declines what it should do
	AboutAssistant     Flag = "about-assistant"      // speaks of the assistant in place of an answer
	CritiqueAsRevision Flag = "critique-as-revision" // speaks about the response where it should be the response
	CopiedFewshot      Flag = "copied-fewshot"       // lifted from a demonstration
	LeadIn             Flag = "lead-in"              // announces the revision ("Here is the revised …")
)

// Flags lists every flag there is, in a fixed order, for summaries.
func Flags() []Flag {
	return []Flag{
		Cut, Thinking, Empty, InvalidUTF8, OtherLanguage, Unchanged, Rewritten, Lengthened, CopiedTurn, Repeating, Refusal, AboutAssistant,
		CritiqueAsRevision, CopiedFewshot, LeadIn,
	}
}

// OldLeadIn is how older versions wrote lead-in.
const OldLeadIn Flag = "preamble"

// UnmarshalText reads a flag, in today's spelling or an old one.
func (f *Flag) UnmarshalText(text []byte) error {
	if *f = Flag(text); *f == OldLeadIn {
		*f = LeadIn
	}
	return nil
}

// Kind is the part that a turn plays in the loop.
type Kind string

// The kinds of turns a model writes.
const (
	Response Kind = "response"
	Critique Kind = "critique"
	Revision Kind = "revision"
)

// Input is a finished turn and what it can be held against.
type Input struct {
	Kind     Kind
	Text     string
	Prompt   string // what was said before the first response, without system texts
	Earlier  string // of it, what the assistant said
	Draft    string // the response under critique or revision; empty for a first response
	Request  string // what the turn was asked to do with the draft
	Critique string // the critique that a revision answers; empty for other kinds
	Safe     bool   // the prompt is known to ask for nothing harmful
	Clean    bool   // a judge found no fault in the draft
	Cut      bool   // whether the turn ended at the token limit
	Think    string // what the model thought before the text
}

// Checker finds faults in turns by fixed rules, from the text alone: the same turn always gets the same
// flags. It is not changed after New, so many goroutines may use one.
type Checker struct {
	demonstrations shingles
	refusals       *refusal.Detector
}

// New indexes the texts of the demonstrations that the model is shown: prompts, responses,
// critiques and revisions. The requests between them are better left out, since a critique may well take up
// the words of its request.
func New(demonstrations []string) (*Checker, error) {
	detector, err := refusal.Load()
	if err != nil {
		return nil, err
	}
	c := &Checker{demonstrations: shingles{}, refusals: detector}
	for _, text := range demonstrations {
		c.demonstrations.add(language.Words(text))
	}
	return c, nil
}

// Check returns the flags of a turn in the order of their declaration, or nil when there are none.
func (c *Checker) Check(t Input) []Flag {
	var flags []Flag
	add := func(f Flag, found bool) {
		if found {
			flags = append(flags, f)
		}
	}
	add(Cut, t.Cut)
	switch {
	case !isEmpty(t.Text):
	case t.Cut && t.Think != "":
		return append(flags, Thinking)
	default:
		return append(flags, Empty)
	}
	words := language.Words(t.Text)
	add(InvalidUTF8, isBroken(t))
	add(OtherLanguage, isOtherLanguage(t, words))
	add(Unchanged, !isEmpty(t.Draft) && fold(t.Text) == fold(t.Draft))
	add(Rewritten, t.Kind == Revision && c.isRewritten(t, words))
	add(Lengthened, t.Kind == Revision && c.isLengthened(t, words))
	add(CopiedTurn, t.Kind == Revision && copiesTurn(t, words))
	add(Repeating, isRepeating(t.Text))
	add(Refusal, c.declines(t))
	add(AboutAssistant, t.Kind != Critique && c.isAboutAssistant(t))
	body, announced := withoutLeadIn(t.Text)
	add(CritiqueAsRevision, t.Kind == Revision && (speaksOfResponse(body, t) || repeatsAsked(words, t)))
	add(CopiedFewshot, c.demonstrations.suppliedMostOf(words))
	// A draft that opens the same way answers a user who asked for a rewrite.
	add(LeadIn, t.Kind == Revision && announced && !announcesRevision(t.Draft))
	return flags
}
