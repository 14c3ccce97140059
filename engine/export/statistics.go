package export

import (
	"slices"

	"amend/engine/check"
	"amend/engine/revise"
)

// Spread is how numbers are spread.
type Spread struct {
	Mean   float64 `json:"mean"`
	Low    int     `json:"p10"`
	Median int     `json:"p50"`
	High   int     `json:"p90"`
	Most   int     `json:"max"`
}

// spread sorts the numbers.
func spread(numbers []int) Spread {
	if len(numbers) == 0 {
		return Spread{}
	}
	slices.Sort(numbers)
	sum := 0
	for _, n := range numbers {
		sum += n
	}
	at := func(percent int) int { return numbers[(len(numbers)-1)*percent/100] }
	return Spread{float64(sum) / float64(len(numbers)), at(10), at(50), at(90), numbers[len(numbers)-1]}
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
