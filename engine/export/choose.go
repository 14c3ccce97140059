package export

import (
	"slices"
	"unicode/utf8"

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
)

// Reasons lists the reasons, in the order in which they are looked for.
func Reasons() []Reason {
	return []Reason{OtherPart, Failed, Unchanged, Flagged, OffPrinciple, TooLong, NearDuplicate}
}

// candidate is what a row gives to the set: one example, or the two of a pair.
type candidate struct {
	rec        *revise.Record
	answer     revise.Trace // the one to learn
	rejected   revise.Trace // the first response, where the format has pairs
	principles []string     // drawn up to the answer's round
}

// choose finds what a row gives, or why it gives nothing.
func (o *Options) choose(rec *revise.Record) ([]candidate, Reason) {
	if o.Format == Raw {
		return []candidate{{rec: rec}}, ""
	}
	if rec.Error != "" {
		return nil, Failed
	}
	var answers []revise.Trace // first response, then revisions
	for _, t := range rec.Turns {
		if t.Kind != revise.Critique {
			answers = append(answers, t)
		}
	}
	if len(answers) == 0 {
		return nil, Failed
	}
	if o.Format == SFT {
		return o.supervised(rec, answers)
	}
	for i := len(answers) - 1; i > 0; i-- {
		if t := answers[i]; t.Text != answers[0].Text && o.clean(t) {
			return []candidate{{rec, t, answers[0], principlesUpTo(rec, t.Round)}}, ""
		}
	}
	return nil, pairless(answers)
}

// pairless says why answers make no pair.
func pairless(answers []revise.Trace) Reason {
	if slices.ContainsFunc(answers[1:], func(t revise.Trace) bool { return t.Text != answers[0].Text }) {
		return Flagged
	}
	return Unchanged
}

// supervised takes the last clean answer, or every clean revision.
func (o *Options) supervised(rec *revise.Record, answers []revise.Trace) (out []candidate, why Reason) {
	changed := slices.ContainsFunc(answers[1:], func(t revise.Trace) bool { return t.Text != answers[0].Text })
	if o.DropUnchanged && !changed {
		return nil, Unchanged
	}
	for i := len(answers) - 1; i >= 0; i-- {
		t := answers[i]
		if !o.clean(t) || o.DropUnchanged && t.Text == answers[0].Text {
			continue
		}
		out = append(out, candidate{rec: rec, answer: t, principles: principlesUpTo(rec, t.Round)})
		if !o.AllRevisions || i == 1 { // a first response is an answer where there is no better one
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
func (o *Options) clean(t revise.Trace) bool {
	return !o.Hygiene || !slices.ContainsFunc(t.Flags, func(f revise.Flag) bool { return f != revise.Unchanged })
}

func principlesUpTo(rec *revise.Record, round int) []string {
	out := []string{}
	for _, t := range rec.Turns {
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
	if o.MaxChars > 0 && c.chars() > o.MaxChars {
		return TooLong
	}
	if o.NearDuplicates > 0 && o.Format != Raw && seen.add(c.text()) {
		return NearDuplicate
	}
	return ""
}

// chars is how long the longest example of a candidate is, in characters.
func (c candidate) chars() int {
	n := 0
	for _, m := range c.rec.Messages {
		n += utf8.RuneCountInString(m.Content)
	}
	return n + max(utf8.RuneCountInString(c.answer.Text), utf8.RuneCountInString(c.rejected.Text))
}

// text is what makes two candidates alike: the conversation and what is to be learnt.
func (c candidate) text() string {
	text := ""
	for _, m := range c.rec.Messages {
		text += m.Content + "\n"
	}
	return text + c.answer.Text
}

// rows are a candidate's rows in the set.
func (c candidate) rows(f Format) []any {
	switch f {
	case SFT:
		return []any{sftRow{c.rec.ID, messages(c.rec.Messages, answer(c.answer.Text)), int32(c.answer.Round), c.principles}}
	case DPO:
		return []any{dpoRow{c.rec.ID, messages(c.rec.Messages), []Message{answer(c.answer.Text)}, []Message{answer(c.rejected.Text)}, c.principles}}
	case KTO:
		prompt := messages(c.rec.Messages)
		return []any{
			ktoRow{c.rec.ID, prompt, []Message{answer(c.answer.Text)}, true},
			ktoRow{c.rec.ID, prompt, []Message{answer(c.rejected.Text)}, false},
		}
	case Reward:
		return []any{rewardRow{c.rec.ID, messages(c.rec.Messages, answer(c.answer.Text)), messages(c.rec.Messages, answer(c.rejected.Text))}}
	case Raw:
		return []any{rawOf(*c.rec)}
	}
	return nil
}
