package export

import (
	"amend/engine/check"
	"amend/engine/revise"
)

// RoundCount is what became of one round's revisions.
type RoundCount struct {
	Round     int                `json:"round"`
	Revisions int                `json:"revisions"`
	Changed   int                `json:"changed"` // that differ from their draft
	Flags     map[check.Flag]int `json:"flags"`
}

// count adds a row's revisions to the rounds.
func (r *Report) count(rec *revise.Record) {
	if rec.Error != "" {
		return
	}
	draft := ""
	for _, t := range rec.Answers() {
		if t.Kind == revise.Revision {
			c := r.round(t.Round)
			c.Revisions++
			if t.Text != draft {
				c.Changed++
			}
			for _, f := range t.Flags {
				c.Flags[f]++
			}
		}
		draft = t.Text
	}
}

func (r *Report) round(n int) *RoundCount {
	for len(r.Rounds) < n {
		r.Rounds = append(r.Rounds, RoundCount{Round: len(r.Rounds) + 1, Flags: map[check.Flag]int{}})
	}
	return &r.Rounds[n-1]
}
