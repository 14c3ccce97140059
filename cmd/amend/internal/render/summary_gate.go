package render

import (
	"fmt"
	"io"
	"strings"

	"amend/engine/feedback"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/engine/selftest"
)

// tries writes what was decided of tries, and what that took for each.
func tries(w io.Writer, g runstore.GateSummary) {
	Field(w, "tries", proposals(g.First, "first ones"))
	if g.Retries.Number > 0 {
		Field(w, "", proposals(g.Retries, "further ones"))
	}
	Field(w, "", fmt.Sprintf("rows that ended early: %s found clean, %s declining; rounds whose draft stayed: %s", Grouped(g.Ended), Grouped(g.Declined), Grouped(g.Stayed)))
}

// triesOutcome writes what became of tries, for a person.
func triesOutcome(w io.Writer, g runstore.GateSummary, rows int, program string) {
	proposed, taken := g.First.Number+g.Retries.Number, g.First.Taken+g.Retries.Taken
	text := fmt.Sprintf("of %s, %s gave a revision that was taken", countedTries(proposed), Grouped(taken))
	if g.First.Verdicts > 0 {
		text += fmt.Sprintf("; %s of %s found clean", Grouped(g.Ended), counted(rows, "row"))
	}
	if g.Declined > 0 {
		text += fmt.Sprintf("; %s of %s ended early: the answer declines", Grouped(g.Declined), counted(rows, "row"))
	}
	Field(w, "tries", text)
	if proposed == 0 && g.Ended == rows && rows > 0 {
		Field(w, "", "The judge found every draft clean: it may be too weak to see faults. "+program+" doctor --model tests it.")
	}
}

// countedTries is a number of tries.
func countedTries(n int) string {
	if n == 1 {
		return "1 try"
	}
	return Grouped(n) + " tries"
}

// selfTest writes what a judge made of known cases, where it was asked some.
func selfTest(w io.Writer, r *selftest.Result) {
	if r != nil {
		Field(w, "self-test", fmt.Sprintf("%s: %s", r.Verdict, r))
	}
}

// verdictTest writes what a judge's verdicts made of known cases, where it was asked for some.
func verdictTest(w io.Writer, label string, r *selftest.VerdictResult) {
	if r != nil {
		Field(w, label, fmt.Sprintf("%s: %s", r.Verdict, r))
	}
}

func proposals(p runstore.Proposals, name string) string {
	decided := []string{Grouped(p.Taken) + " taken"}
	for _, r := range revise.Refusals() {
		if n := p.Refused[r]; n > 0 {
			decided = append(decided, fmt.Sprintf("%s %s", r, Grouped(n)))
		}
	}
	text := fmt.Sprintf("%s %s: %s. Each took %s", Grouped(p.Number), name, strings.Join(decided, ", "), each(p.Making, p.Number))
	if p.Judgements > 0 {
		text += fmt.Sprintf(", and %.1f judgements with %s", float64(p.Judgements)/float64(p.Number), each(p.Judging, p.Number))
	}
	if p.Verdicts > 0 {
		text += fmt.Sprintf("; %s before them, %s clean, each with %s", counted(p.Verdicts, "verdict"), Grouped(p.Clean), each(p.Asking, p.Verdicts+p.Readings))
	}
	if p.Readings > 0 {
		text += fmt.Sprintf("; %s read, each with %s", counted(p.Readings, "critique"), each(p.Asking, p.Readings+p.Verdicts))
	}
	return text
}

// each is a cost divided among n.
func each(c feedback.Cost, n int) string {
	per := func(tokens int) string { return fmt.Sprintf("%.0f", float64(tokens)/float64(max(1, n))) }
	text := fmt.Sprintf("%s tokens computed, %s reused", per(c.Prompt-c.Reused), per(c.Reused))
	if c.Decoded > 0 {
		text += fmt.Sprintf(", %s decoded", per(c.Decoded))
	}
	return text
}
