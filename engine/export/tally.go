package export

import (
	"amend/engine/check"
	"amend/engine/revise"
)

// Tally counts which rows of a run give something to a set, and why the others do not.
type Tally struct {
	Format  Format         `json:"format"`
	Usable  int            `json:"usable"`
	Revised int            `json:"revised"` // of Usable: the answer to learn is not the first response
	LeftOut map[Reason]int `json:"left_out"`
	// Flags counts the rows that are left out for a fault, each under one flag (Faults).
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
	countFault(t.Flags, rec, why)
}

// Passed is the last revision of a row that may be learnt.
func Passed(rec *revise.Record) (t revise.Turn, ok bool) {
	answers := rec.Answers()
	if rec.Error != "" || len(answers) == 0 {
		return t, false
	}
	o := Options{Hygiene: true}
	passed := o.passed(answers)
	if len(passed) == 0 {
		return t, false
	}
	return passed[len(passed)-1], true
}
