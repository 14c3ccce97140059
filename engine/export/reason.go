package export

import "fmt"

// Reason is why a row of the run, or a labelled pair, is not in the set. Each has one: the first that holds.
type Reason string

// The reasons.
const (
	OtherPart       Reason = "other-part"       // its prompt is in the other of two disjoint parts
	Failed          Reason = "failed"           // the row failed
	Unlabelled      Reason = "unlabelled"       // no valid judgement of the pair
	SmallMargin     Reason = "small-margin"     // the judge is not sure enough
	Flipping        Reason = "flips"            // the judge changes its mind with the order too often
	Disagreeing     Reason = "disagrees"        // the judge prefers the answer that was revised to its revision
	FoundClean      Reason = "found-clean"      // a verdict found its answer clean: there is no revision to pair it with
	NothingFound    Reason = "nothing-found"    // its critiques found nothing, which makes no answer clean: they may have missed something
	Declining       Reason = "declines"         // its first response declines, and was not revised
	Unrevised       Reason = "unrevised"        // nothing was revised, and nothing found clean
	Unchanged       Reason = "unchanged"        // its revisions say what the first response says
	Refused         Reason = "refused"          // a gate refused its revisions
	Flagged         Reason = "flagged"          // a check flagged the answer to learn
	RejectedFlagged Reason = "rejected-flagged" // a check flagged the other answer of the pair
	TooAlike        Reason = "alike"            // the answers of the pair differ in too little
	BothDecline     Reason = "both-decline"     // both say no, and little else
	OffPrinciple    Reason = "principle"        // none of the principles asked for was drawn
	TooLong         Reason = "too-long"         // more characters than asked for
	Contaminated    Reason = "contaminated"     // it shares text with an evaluation file
	NearDuplicate   Reason = "near-duplicate"   // too like a row before it
)

// Reasons lists the reasons, in the order in which they are looked for.
func Reasons() []Reason {
	return []Reason{
		OtherPart, Failed, Unlabelled, SmallMargin, Flipping, Disagreeing, FoundClean, NothingFound, Declining, Unrevised, Unchanged, Refused,
		Flagged, RejectedFlagged, TooAlike, BothDecline, OffPrinciple, TooLong, Contaminated, NearDuplicate,
	}
}

// FlagsBelong is the last of the reasons by which something was left out that flags are of: where both are, it has the flags
// of both.
func FlagsBelong(leftOut map[Reason]int) Reason {
	if leftOut[RejectedFlagged] > 0 {
		return RejectedFlagged
	}
	return Flagged
}

// text says a reason in words, for the card.
func (why Reason) text() string {
	return map[Reason]string{
		OtherPart:       "the prompt is in the half that the other formats take",
		Failed:          "the row failed",
		Unlabelled:      "the judge gave no valid judgement",
		SmallMargin:     "the judge is not sure enough",
		Flipping:        "the judge changes its mind with the order of the answers",
		Disagreeing:     "the judge prefers the answer that was revised to its revision",
		FoundClean:      "a verdict found the answer clean, so there is no revision",
		NothingFound:    "the critiques found nothing to correct, and may have missed something",
		Declining:       "the first response declines, and was not revised",
		Unrevised:       "nothing was revised",
		Unchanged:       "the revisions say what the first response says",
		Refused:         "the gate refused the revisions",
		Flagged:         "a check flagged the revisions, or the answer to learn",
		RejectedFlagged: "a check flagged the answer to reject",
		TooAlike:        fmt.Sprintf("the two answers differ in less than %.0f %% of their words", 100*leastDistance),
		BothDecline:     fmt.Sprintf("both answers decline, in at most %d words", shortRefusal),
		OffPrinciple:    "none of the chosen principles was drawn",
		TooLong:         "too many characters",
		Contaminated:    "it shares text with an evaluation file",
		NearDuplicate:   "near-duplicate of an earlier row",
	}[why]
}
