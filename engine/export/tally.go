package export

import (
	"slices"

	"amend/engine/check"
	"amend/engine/revise"
)

// Tally counts which rows of a run give something to a set, and why the others do not.
type Tally struct {
	Format  Format         `json:"format"`
	Usable  int            `json:"usable"`
	Revised int            `json:"revised"` // of Usable: the answer to learn is not the first response
	LeftOut map[Reason]int `json:"left_out"`
	// Flags counts the rows that are left out as flagged, each under one flag (Faults).
	Flags   map[check.Flag]int `json:"flags"`
	options Options
}

// NewTally begins a count by the rules of a format, without flagged turns and with no other filter.
func NewTally(f Format) *Tally {
	return &Tally{Format: f, LeftOut: map[Reason]int{}, Flags: map[check.Flag]int{}, options: Options{Format: f, Hygiene: true}}
}

// Add counts a row.
func (t *Tally) Add(rec *revise.Record) {
	chosen, why := t.options.choose(rec)
	if why == "" {
		t.Usable++
		if last := chosen[len(chosen)-1]; last.answer != last.first {
			t.Revised++
		}
		return
	}
	t.LeftOut[why]++
	if why == Flagged {
		countFault(t.Flags, rec)
	}
}

// countFault counts a row under the first flag that keeps an answer of it out of a set.
func countFault(counts map[check.Flag]int, rec *revise.Record) {
	for _, f := range Faults() {
		if slices.ContainsFunc(rec.Answers(), func(t revise.Turn) bool { return slices.Contains(t.Flags, f) }) {
			counts[f]++
			return
		}
	}
}

// Pair returns what a row gives to a set of pairs: its last answer without a flag that differs from the first response, and
// the first response.
func Pair(rec *revise.Record) (chosen, rejected revise.Turn, ok bool) {
	answers := rec.Answers()
	if rec.Error != "" || len(answers) == 0 {
		return chosen, rejected, false
	}
	o := Options{Hygiene: true}
	chosen, ok = o.chosen(answers)
	return chosen, answers[0], ok
}

// chosen is the last answer that may be learnt and differs from the first response.
func (o *Options) chosen(answers []revise.Turn) (t revise.Turn, ok bool) {
	for i := len(answers) - 1; i > 0; i-- {
		if t := answers[i]; t.Text != answers[0].Text && o.clean(t) {
			return t, true
		}
	}
	return t, false
}
