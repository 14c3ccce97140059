package export

import (
	"slices"
	"unicode/utf8"

	"amend/engine/chat"
	"amend/engine/check"
	"amend/engine/revise"
)

// Reason is why a row of the run, or one of its rounds, is not in the set.
type Reason string

// The reasons.
const (
	Failed        Reason = "failed"         // the row failed
	Flagged       Reason = "flagged"        // it has no answer without a hygiene flag
	Unchanged     Reason = "unchanged"      // no revision that differs from the first response
	OtherPart     Reason = "other-part"     // its prompt is in the other of two disjoint parts
	OffPrinciple  Reason = "principle"      // none of the principles asked for was drawn
	TooLong       Reason = "too-long"       // more characters than asked for
	NearDuplicate Reason = "near-duplicate" // too like a row before it
	Unlabelled    Reason = "unlabelled"     // no valid judgement of the pair
	SmallMargin   Reason = "small-margin"   // the judge is not sure enough
	Flipping      Reason = "flips"          // the judge changes its mind with the order too often
)

// Reasons lists the reasons in the order in which they are looked for: a row is counted under the first one alone.
func Reasons() []Reason {
	return []Reason{OtherPart, Failed, Unlabelled, SmallMargin, Flipping, Unchanged, Flagged, OffPrinciple, TooLong, NearDuplicate}
}

// Faults lists the flags that keep an answer out of a set, in the order in which a row that is left out for them is counted:
// under the first one that an answer of it has. Thoughts that take the whole limit are cut, too.
func Faults() []check.Flag {
	return []check.Flag{check.Thinking, check.Cut, check.Empty, check.Repeating, check.CritiqueAsRevision, check.CopiedFewshot, check.LeadIn}
}

// candidate is what a row gives to the set: one example, or the two of a pair.
type candidate struct {
	id         string
	prompt     []chat.Message
	answer     string // the one to learn
	rejected   string // the other one, where the format has pairs
	first      string // the first response of the run's row
	round      int    // of the answer
	principles []string
	again      bool           // a repeat of the one before
	prob       float64        // that a judge finds the answer better than the other one, where the set is of labels
	rec        *revise.Record // where the format has whole traces
}

// choose finds what a row gives, or why it gives nothing.
func (o *Options) choose(rec *revise.Record) ([]candidate, Reason) {
	if o.Format == Raw {
		return []candidate{whole(rec)}, ""
	}
	if rec.Error != "" {
		return nil, Failed
	}
	answers := rec.Answers()
	if len(answers) == 0 {
		return nil, Failed
	}
	if o.Format == SFT {
		return o.supervised(rec, answers)
	}
	if t, ok := o.chosen(answers); ok {
		return []candidate{newCandidate(rec, t, answers[0])}, ""
	}
	return nil, pairless(answers)
}

// whole is a row as it is, with what filters look at.
func whole(rec *revise.Record) candidate {
	c := candidate{rec: rec, prompt: rec.Messages}
	if final, ok := rec.Final(); ok {
		c.answer, c.principles = final.Text, principlesUpTo(rec, final.Round)
	}
	return c
}

// newCandidate takes an answer of a row, with the first response as the other one.
func newCandidate(rec *revise.Record, t, first revise.Turn) candidate {
	return candidate{
		id: rec.ID, prompt: rec.Messages, answer: t.Text, rejected: first.Text, first: first.Text,
		round: t.Round, principles: principlesUpTo(rec, t.Round),
	}
}

// pairless says why answers make no pair.
func pairless(answers []revise.Turn) Reason {
	if slices.ContainsFunc(answers[1:], func(t revise.Turn) bool { return t.Text != answers[0].Text }) {
		return Flagged
	}
	return Unchanged
}

// supervised takes the last clean answer, or every clean revision.
func (o *Options) supervised(rec *revise.Record, answers []revise.Turn) (out []candidate, why Reason) {
	changed := slices.ContainsFunc(answers[1:], func(t revise.Turn) bool { return t.Text != answers[0].Text })
	if o.DropUnchanged && !changed {
		return nil, Unchanged
	}
	for i := len(answers) - 1; i >= 0; i-- {
		if i == 0 && len(out) > 0 {
			break // a first response is an answer where there is no better one
		}
		t := answers[i]
		if !o.clean(t) || o.DropUnchanged && t.Text == answers[0].Text {
			continue
		}
		out = append(out, newCandidate(rec, t, answers[0]))
		if !o.AllRevisions {
			break
		}
	}
	if len(out) == 0 {
		return nil, Flagged
	}
	slices.Reverse(out)
	return out, ""
}

// clean reports whether a turn may be learnt. That a revision is its draft again does not make it worse.
func (o *Options) clean(t revise.Turn) bool {
	return !o.Hygiene || !slices.ContainsFunc(t.Flags, func(f check.Flag) bool { return f != check.Unchanged })
}

func principlesUpTo(rec *revise.Record, round int) []string {
	out := []string{}
	for _, t := range rec.Answers() {
		if t.Kind == revise.Revision && t.Round <= round {
			out = append(out, t.Principle)
		}
	}
	return out
}

// refuse says which filter a candidate does not pass, "" for none.
func (o *Options) refuse(c candidate, seen *duplicates) Reason {
	if len(o.Principles) > 0 && !slices.ContainsFunc(c.principles, func(p string) bool { return slices.Contains(o.Principles, p) }) {
		return OffPrinciple
	}
	if o.MaxChars > 0 && c.chars(o.Format != SFT) > o.MaxChars {
		return TooLong
	}
	if o.NearDuplicates > 0 && o.Format != Raw && seen.add(c.text()) {
		return NearDuplicate
	}
	return ""
}

// chars is how long the longest example of a candidate is, in characters.
func (c candidate) chars(pairs bool) int {
	n := 0
	for _, m := range c.prompt {
		n += utf8.RuneCountInString(m.Text)
	}
	longest := utf8.RuneCountInString(c.answer)
	if pairs {
		longest = max(longest, utf8.RuneCountInString(c.rejected))
	}
	return n + longest
}

// text is what makes two candidates alike: the conversation and what is to be learnt.
func (c candidate) text() string {
	text := ""
	for _, m := range c.prompt {
		text += m.Text + "\n"
	}
	return text + c.answer
}

// rows are a candidate's rows in the set.
func (c candidate) rows(o *Options) []any {
	chosen, rejected := []chat.Message{answer(c.answer)}, []chat.Message{answer(c.rejected)}
	switch o.Format {
	case SFT:
		return []any{sftRow{c.id, append(slices.Clone(c.prompt), chosen...), int32(c.round), c.principles}}
	case DPO:
		row := dpoRow{c.id, c.prompt, chosen, rejected, c.principles}
		if o.Labels {
			return []any{labelledDPO{row, c.prob}}
		}
		return []any{row}
	case KTO:
		good, bad := ktoRow{c.id, c.prompt, chosen, true}, ktoRow{c.id, c.prompt, rejected, false}
		if o.Labels {
			return []any{labelledKTO{good, c.prob}, labelledKTO{bad, c.prob}}
		}
		return []any{good, bad}
	case Reward:
		row := rewardRow{c.id, append(slices.Clone(c.prompt), chosen...), append(slices.Clone(c.prompt), rejected...)}
		if o.Labels {
			return []any{labelledReward{row, c.prob}}
		}
		return []any{row}
	case Raw:
		return []any{rawOf(*c.rec)}
	}
	return nil
}
