package revise

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Flag names one fault that a check found in a finished turn. Flags describe a turn, they do not stop it.
type Flag string

// The flags, in the order in which Check returns them.
const (
	Cut                Flag = "cut"                  // ended by the token limit, not by the model
	Thinking           Flag = "thinking"             // thoughts took the whole limit, so there is no answer
	Empty              Flag = "empty"                // nothing in it, or only punctuation
	Unchanged          Flag = "unchanged"            // the draft again, except for case, quotes and white space
	Repeating          Flag = "repeating"            // caught in a loop, or saying the same thing over and over
	CritiqueAsRevision Flag = "critique-as-revision" // speaks about the response where it should be the response
	CopiedFewshot      Flag = "copied-fewshot"       // lifted from a demonstration
	LeadIn             Flag = "lead-in"              // announces the revision ("Here is the revised …")
)

// Flags lists every flag there is, in a fixed order, for summaries.
func Flags() []Flag {
	return []Flag{Cut, Thinking, Empty, Unchanged, Repeating, CritiqueAsRevision, CopiedFewshot, LeadIn}
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

// CheckInput is a finished turn and what it can be held against.
type CheckInput struct {
	Kind     Kind
	Text     string
	Draft    string // the response under critique or revision; empty for a first response
	Critique string // the critique that a revision answers; empty for other kinds
	Cut      bool   // whether the turn ended at the token limit
	Think    string // what the model thought before the text
}

// Checker finds faults in turns by fixed rules, from the text alone: the same turn always gets the same
// flags. It is not changed after NewChecker, so many goroutines may use one.
type Checker struct {
	demonstrations shingles
}

// NewChecker indexes the texts of the demonstrations that the model is shown: prompts, responses,
// critiques and revisions. The requests between them are better left out, since a critique may well take up
// the words of its request.
func NewChecker(demonstrations []string) *Checker {
	c := &Checker{demonstrations: shingles{}}
	for _, text := range demonstrations {
		c.demonstrations.add(foldWords(text))
	}
	return c
}

// Check returns the flags of a turn in the order of their declaration, or nil when there are none.
func (c *Checker) Check(t CheckInput) []Flag {
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
	words := foldWords(t.Text)
	add(Unchanged, !isEmpty(t.Draft) && fold(t.Text) == fold(t.Draft))
	add(Repeating, isRepeating(t.Text))
	if t.Kind == Revision {
		add(CritiqueAsRevision, speaksOfResponse(t.Text) || repeatsCritique(words, t))
	}
	add(CopiedFewshot, c.demonstrations.suppliedMostOf(words))
	if t.Kind == Revision {
		// A draft that opens the same way answers a user who asked for a rewrite.
		add(LeadIn, announcesRevision(t.Text) && !announcesRevision(t.Draft))
	}
	return flags
}

func isEmpty(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSymbol(r)
	})
}

// fold lower-cases a text, drops quotation marks and turns each stretch of white space into one space.
func fold(text string) string {
	text = strings.Map(func(r rune) rune {
		if isQuote(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

func isQuote(r rune) bool {
	return strings.ContainsRune("\"'`´‘’‚“”„«»‹›", r)
}

// foldWords splits a folded text at everything that is neither letter, mark nor digit. In scripts that put no
// spaces between words each character counts as one.
func foldWords(text string) []string {
	var words []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range fold(text) {
		switch {
		case isUnspaced(r):
			flush()
			words = append(words, string(r))
		case unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r):
			word.WriteRune(r)
		default:
			flush()
		}
	}
	flush()
	return words
}

func isUnspaced(r rune) bool {
	return r > unicode.MaxLatin1 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

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
	minRulerLoop  = 120 // the same where the unit has no letters, as in ruled lines
)

// listMarker is a number or bullet at the start of a line: in a loop it may count up.
var listMarker = regexp.MustCompile(`(?m)^\s*(?:\d+[.)]|[-*•])\s+`)

func isRepeating(text string) bool {
	words := foldWords(listMarker.ReplaceAllString(text, ""))
	return hasLoop(words) || repeatsGrams(words) || endsInRuneLoop(text)
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
func repeatsCritique(words []string, t CheckInput) bool {
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
