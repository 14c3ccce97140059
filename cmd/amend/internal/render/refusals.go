package render

import (
	"fmt"
	"io"
	"strconv"

	"amend/cmd/amend/internal/app"
	"amend/engine/refusal"
)

// Refusals writes how well the refusal detector agrees with people, for a person or as JSON.
func Refusals(w io.Writer, r app.RefusalsReport, asJSON bool) error {
	if asJSON {
		return JSON(w, r)
	}
	rows := [][]string{{"answers by", "n", "recall", "95 %", "false alarms", "95 %", "partial", "not judged"}}
	add := func(name string, f refusal.Figures) {
		rows = append(rows, []string{
			name, strconv.Itoa(f.N), Share(f.Recall), Interval(f.Recall), Share(f.FalseAlarm), Interval(f.FalseAlarm), Share(f.PartialFlagged), strconv.Itoa(f.NotJudged),
		})
	}
	add("all", r.Figures)
	if len(r.Models) > 1 {
		for _, m := range r.Models {
			add(OrNone(m.Model), m.Figures)
		}
	}
	if err := RightTable(w, rows); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, `
recall        full refusals that are found
false alarms  answers that comply in full and are taken for refusals
partial       partial refusals that are taken for full ones
`)
	return err
}
