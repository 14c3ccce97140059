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

// gate writes what a gate did, and what that took for each proposal.
func gate(w io.Writer, g runstore.GateSummary) {
	Field(w, "gate", proposals(g.First, "first proposals"))
	if g.Retries.Number > 0 {
		Field(w, "", proposals(g.Retries, "further ones"))
	}
	Field(w, "", fmt.Sprintf("rows that ended early: %s; rounds whose draft stayed: %s", Grouped(g.Ended), Grouped(g.Stayed)))
}

// gateOutcome writes what a gate did, for a person.
func gateOutcome(w io.Writer, g runstore.GateSummary, rows int) {
	proposed, taken := g.First.Number+g.Retries.Number, g.First.Taken+g.Retries.Taken
	Field(w, "gate", fmt.Sprintf("%s of %s accepted; %s of %s ended early, their drafts found clean",
		Grouped(taken), counted(proposed, "revision"), Grouped(g.Ended), counted(rows, "row")))
	if proposed == 0 && g.Ended == rows && rows > 0 {
		Field(w, "", "The judge found every draft clean: it may be too weak to see faults. amend doctor --model tests it.")
	}
}

// selfTest writes what a judge made of known cases, where it was asked some.
func selfTest(w io.Writer, r *selftest.Result) {
	if r != nil {
		Field(w, "self-test", fmt.Sprintf("%s: %s", r.Verdict, r))
	}
}

// verdictTest writes what a judge's verdicts made of known cases, where it was asked for some.
func verdictTest(w io.Writer, r *selftest.VerdictResult) {
	if r != nil {
		Field(w, "verdicts", fmt.Sprintf("%s: %s", r.Verdict, r))
	}
}

func proposals(p runstore.Proposals, name string) string {
	var refused []string
	for _, r := range revise.Refusals() {
		refused = append(refused, fmt.Sprintf("%s %s", r, Grouped(p.Refused[r])))
	}
	per := 0.0
	if p.Number > 0 {
		per = float64(p.Judgements) / float64(p.Number)
	}
	return fmt.Sprintf("%s %s: %s accepted; %s. Each took %s, and %.1f judgements with %s; %s verdicts before them, %s clean, each with %s",
		Grouped(p.Number), name, Grouped(p.Taken), strings.Join(refused, ", "), each(p.Making, p.Number), per, each(p.Judging, p.Number),
		Grouped(p.Verdicts), Grouped(p.Clean), each(p.Asking, p.Verdicts))
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
