package export

import (
	"slices"
	"strings"
	"unicode/utf8"

	"amend/engine/check"
	"amend/engine/revise"
)

// Faults lists the flags that keep an answer out of a set, in the order in which a row that is left out for them is counted:
// under the first one. Thoughts that take the whole limit are cut, too. That a revision is its draft again is no fault.
func Faults() []check.Flag {
	rest := slices.DeleteFunc(check.Flags(), func(f check.Flag) bool { return f == check.Thinking || f == check.Unchanged })
	return append([]check.Flag{check.Thinking}, rest...)
}

// faultOf is the first fault of an answer to learn, "" for none. What the checks of older versions did not look for is found
// here.
func faultOf(t revise.Turn) check.Flag {
	for _, f := range Faults() {
		if slices.Contains(t.Flags, f) {
			return f
		}
	}
	switch {
	case strings.TrimSpace(t.Text) == "":
		return check.Empty
	case strings.ContainsRune(t.Text, utf8.RuneError): // finds invalid bytes, too
		return check.InvalidUTF8
	}
	return ""
}

// faultOfRejected is the first fault of an answer to reject. It may not have one of form: an answer that is cut off or repeats
// itself teaches length and form, not what is better. The other faults are of revisions, or may be why it is rejected.
func faultOfRejected(t revise.Turn) check.Flag {
	t.Flags = slices.DeleteFunc(slices.Clone(t.Flags), func(f check.Flag) bool {
		switch f {
		case check.Cut, check.Thinking, check.Empty, check.InvalidUTF8, check.OtherLanguage, check.Repeating, check.CopiedFewshot:
			return false
		default:
			return true
		}
	})
	return faultOf(t)
}

// isLearnable reports whether no check found a fault in an answer, or none is looked for.
func (o *Options) isLearnable(t revise.Turn) bool { return !o.Hygiene || faultOf(t) == "" }

// isRejectable reports the same of an answer to reject.
func (o *Options) isRejectable(t revise.Turn) bool { return !o.Hygiene || faultOfRejected(t) == "" }

// countFault counts a row that is left out for a fault under one flag: the first that one of its revisions has, or where it has
// none, or the reason is the answer to reject, its first response.
func countFault(counts map[check.Flag]int, rec *revise.Record, why Reason) {
	found := map[check.Flag]bool{}
	switch why {
	case RejectedFlagged:
		found[faultOfRejected(rec.Answers()[0])] = true
	case Flagged:
		for _, t := range rec.Turns {
			if t.Kind == revise.Revision {
				found[faultOf(t)] = true
			}
		}
		if len(found) == 0 || len(found) == 1 && found[""] {
			found[faultOf(rec.Answers()[0])] = true
		}
	default:
		return
	}
	for _, f := range Faults() {
		if found[f] {
			counts[f]++
			return
		}
	}
}
