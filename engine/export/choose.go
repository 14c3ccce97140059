package export

import (
	"slices"
	"unicode/utf8"

	"amend/engine/chat"
	"amend/engine/revise"
)

// candidate is what a row gives to the set: one example, or the two of a pair.
type candidate struct {
	id         string
	prompt     []chat.Message
	answer     string // the one to learn
	rejected   string // the other one, where the format has pairs
	first      string // the first response of the run's row
	round      int    // of the answer
	principles []string
	unrevised  unrevised      // why the answer is the first response; "" where it is a revision, or labelled
	again      bool           // a repeat of the one before
	prob       float64        // that a judge finds the answer better than the other one, where the set is of labels
	rec        *revise.Record // where the format has whole traces
}

// unrevised is why an answer to learn is a first response.
type unrevised string

const (
	foundClean unrevised = "clean"     // a verdict found it clean
	notTried   unrevised = "not-tried" // the run has no revisions
	keptFirst  unrevised = "kept"      // Options.KeepFirst
)

// choose finds what a row gives, or why it gives nothing.
func (o *Options) choose(rec *revise.Record) ([]candidate, Reason) {
	if o.Format == Raw {
		return []candidate{whole(rec)}, ""
	}
	answers := rec.Answers()
	if rec.Error != "" || len(answers) == 0 {
		return nil, Failed
	}
	passed := o.passed(answers)
	if o.Format == SFT {
		return o.supervised(rec, answers, passed)
	}
	if len(passed) == 0 {
		return nil, o.revisionless(rec, answers[0])
	}
	chosen, first := passed[len(passed)-1], answers[0]
	if !o.isRejectable(first) {
		return nil, RejectedFlagged
	}
	if why := unfit(chosen.Text, first.Text); why != "" {
		return nil, why
	}
	return []candidate{newCandidate(rec, chosen, first)}, ""
}

// passed are the revisions that may be learnt: taken by the gate, without a fault, and other than the first response.
func (o *Options) passed(answers []revise.Turn) (out []revise.Turn) {
	for _, t := range answers[1:] {
		again := len(out) > 0 && same(t.Text, out[len(out)-1].Text)
		if !same(t.Text, answers[0].Text) && o.isLearnable(t) && !again {
			out = append(out, t)
		}
	}
	return out
}

// supervised takes the last revision that passed, or each. A first response is taken where a trusted verdict found it clean, where the
// run has no revisions, or where KeepFirst asks for it.
func (o *Options) supervised(rec *revise.Record, answers, passed []revise.Turn) (out []candidate, why Reason) {
	if !o.AllRevisions && len(passed) > 1 {
		passed = passed[len(passed)-1:]
	}
	for _, t := range passed {
		out = append(out, newCandidate(rec, t, answers[0]))
	}
	if len(out) > 0 {
		return out, ""
	}
	first := newCandidate(rec, answers[0], answers[0])
	switch {
	case rec.Clean() && !o.Distrust && same(answers[len(answers)-1].Text, answers[0].Text):
		first.unrevised = foundClean
	case !wasTried(rec):
		first.unrevised = notTried
	case o.KeepFirst:
		first.unrevised = keptFirst
	default:
		return nil, o.revisionless(rec, answers[0])
	}
	switch {
	case o.DropUnchanged:
		return nil, Unchanged
	case !o.isLearnable(answers[0]):
		return nil, Flagged
	}
	return []candidate{first}, ""
}

// wasTried reports whether anything was asked about the row's first response.
func wasTried(rec *revise.Record) bool {
	judged := rec.Gated != nil && (len(rec.Gated.Verdicts) > 0 || rec.Gated.Declined > 0)
	return judged || slices.ContainsFunc(rec.Turns, func(t revise.Turn) bool { return t.Kind != revise.Response })
}

// revisionless says why none of a row's revisions may be learnt. Of several it is the one that came closest.
func (o *Options) revisionless(rec *revise.Record, first revise.Turn) Reason {
	why := Unrevised
	switch {
	case rec.Clean():
		why = FoundClean
	case rec.Gated != nil && rec.Gated.Declined > 0:
		why = Declining
	}
	for _, t := range rec.Turns {
		switch {
		case why == Unrevised && t.Gate != nil && t.Gate.Refused == revise.FoundNothing:
			why = NothingFound
		case t.Kind != revise.Revision:
		case !o.isLearnable(t):
			why = Flagged
		case !same(t.Text, first.Text):
			return Refused
		case why == Unrevised || why == NothingFound:
			why = Unchanged
		}
	}
	return why
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
func (o *Options) refuse(c candidate) Reason {
	if len(o.Principles) > 0 && !slices.ContainsFunc(c.principles, func(p string) bool { return slices.Contains(o.Principles, p) }) {
		return OffPrinciple
	}
	if o.MaxChars > 0 && c.chars(o.Format != SFT) > o.MaxChars {
		return TooLong
	}
	if o.Format != Raw && len(o.sources(c)) > 0 {
		return Contaminated
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
