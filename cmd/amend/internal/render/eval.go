package render

import (
	"fmt"
	"io"
	"strconv"

	"amend/engine/oracle"
)

// Outcome writes what an oracle says of a run: a table, a round a line.
func Outcome(w io.Writer, o oracle.Outcome) error {
	rows := [][]string{{"round", "rows", "break a rule", "95 %", "kept facts", "in grammar", "precision", "recall", "fixed", "nothing else", "worse"}}
	for _, r := range o.Rounds {
		row := []string{strconv.Itoa(r.Round), strconv.Itoa(r.Rows), Share(r.Violating), Interval(r.Violating), Share(r.KeptFacts), Share(r.InGrammar)}
		precision, recall, fixed, only, worse := "", "", "", "", ""
		if c := r.Critiques; c != nil {
			precision, recall = Share(c.Precision), Share(c.Recall)
		}
		if v := r.Revisions; v != nil {
			fixed, only, worse = Share(v.Fixed), Share(v.Only), Share(v.Worse)
		}
		rows = append(rows, append(row, precision, recall, fixed, only, worse))
	}
	if err := RightTable(w, rows); err != nil {
		return err
	}
	if o.Worse.Of > 0 && len(o.Rounds) > 1 {
		fmt.Fprintf(w, "made worse: %s (%s) of the rows break a rule at the end that their first response followed\n", Share(o.Worse), Interval(o.Worse))
	}
	if o.Foreign+o.Failed > 0 {
		fmt.Fprintf(w, "not counted: %d rows whose prompt is not of the testbed's world, %d that failed\n", o.Foreign, o.Failed)
	}
	_, err := io.WriteString(w, `
Judged by the testbed's oracle, which knows its world's truth; it says nothing of other models.
precision, recall  of critiques: breaches of the drawn principle, with the right words quoted
fixed              revisions whose flagged breaches are gone; nothing else: those that change no other sentence
worse              revisions that break a rule which the draft kept
`)
	return err
}
