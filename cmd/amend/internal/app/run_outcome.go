package app

import (
	"amend/engine/check"
	"amend/engine/export"
	"amend/engine/revise"
)

// Outcome says what became of a run's rows, and what they are good for.
type Outcome struct {
	Changed int             // rows whose last answer is not the first response
	Sets    []*export.Tally // what the rows give to training sets
	Example *Example        // nil where no answer changed
}

// Example is an answer before and after its revisions.
type Example struct {
	Row           int // its number
	ID            string
	Principle     string // of the revision
	Before, After string
	Flags         []check.Flag // of the revision
}

// NewOutcome begins an outcome.
func NewOutcome() Outcome {
	return Outcome{Sets: []*export.Tally{export.NewTally(export.SFT), export.NewTally(export.DPO)}}
}

// Add takes up a row. The example is the first row that a training set can use, or else the first one that changed.
func (o *Outcome) Add(rec *revise.Record) {
	for _, s := range o.Sets {
		s.Add(rec)
	}
	answers := rec.Answers()
	if rec.Error != "" || len(answers) == 0 {
		return
	}
	first, last := answers[0], answers[len(answers)-1]
	changed := first.Text != last.Text
	if changed {
		o.Changed++
	}
	passed, usable := export.Passed(rec)
	switch {
	case usable && (o.Example == nil || len(o.Example.Flags) > 0):
		last = passed
	case !changed || o.Example != nil:
		return
	}
	o.Example = &Example{Row: rec.Index, ID: rec.ID, Principle: last.Principle, Before: first.Text, After: last.Text, Flags: last.Flags}
}
