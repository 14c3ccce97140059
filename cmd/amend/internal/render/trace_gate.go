package render

import (
	"fmt"

	"amend/engine/feedback"
	"amend/engine/revise"
)

// roundName is the heading of a round's turns.
func roundName(t revise.Turn) string {
	name := fmt.Sprintf("round %d, principle %s", t.Round, OneLine(t.Principle))
	if t.Try > 0 {
		name += fmt.Sprintf(", try %d", t.Try+1)
	}
	return name
}

// verdicts writes what a judge said of the draft before a try, or of the critique in it.
func (p *Page) verdicts(rec revise.Record, round, try int, ofCritique bool) {
	if rec.Gated == nil {
		return
	}
	for _, v := range rec.Gated.Verdicts {
		if v.Round == round && v.Try == try && v.OfCritique == ofCritique {
			p.Wrapped(1, verdictLine(v))
		}
	}
}

func verdictLine(v revise.Verdict) string {
	word := feedback.SaidBreach
	if v.Clean() {
		word = feedback.SaidClean
	}
	if v.Invalid {
		word = fmt.Sprintf("no verdict (the answers have a probability of %.3f together)", v.Mass)
	}
	if v.OfCritique && !v.Invalid {
		return fmt.Sprintf("[the model reads that this finds %s; something with probability %.3f]", map[bool]string{true: "nothing", false: "something"}[v.Clean()], *v.Breach)
	}
	if v.Breach != nil {
		return fmt.Sprintf("[%s under %s; breach %.3f]", word, OneLine(v.Principle), *v.Breach)
	}
	return fmt.Sprintf("[%s under %s; clean %.3f]", word, OneLine(v.Principle), v.P)
}

// decision writes what was decided of a try, and the judgements behind it.
func (p *Page) decision(d revise.Decision) {
	said := "taken"
	if d.Refused != "" {
		said = "refused: " + string(d.Refused)
		if d.Against != "" {
			said += ", under " + OneLine(d.Against)
		}
	}
	p.Heading(1, "decision")
	p.Wrapped(2, said)
	for i := 0; i+1 < len(d.Judgements); i += 2 {
		given, swapped := d.Judgements[i], d.Judgements[i+1]
		line := fmt.Sprintf("%s: the revision is better with probability %.3f, as (B) %.3f", OneLine(given.Principle), given.P, swapped.P)
		if given.Invalid || swapped.Invalid {
			line += fmt.Sprintf("; invalid, the answers have a probability of %.3f and %.3f together", given.Mass, swapped.Mass)
		}
		p.Wrapped(2, line)
	}
}

// gated writes how a row with decisions ended.
func (p *Page) gated(rec revise.Record) {
	g := rec.Gated
	if g == nil || len(g.Stayed) == 0 && g.Clean == 0 && g.Declined == 0 {
		return
	}
	p.Text("\n")
	p.Heading(0, "outcome")
	if len(g.Stayed) > 0 {
		p.Wrapped(1, fmt.Sprintf("rounds in which no revision was taken and the draft stayed: %s", joinNumbers(g.Stayed)))
	}
	if g.Declined > 0 {
		p.Wrapped(1, fmt.Sprintf("round %d was not begun: the answer declines what was asked", g.Declined))
	}
	if g.Clean == 0 {
		return
	}
	p.Wrapped(1, fmt.Sprintf("found clean in round %d:", g.Clean))
	for _, v := range rec.Gated.Verdicts {
		if v.Round == g.Clean {
			p.Wrapped(2, verdictLine(v))
		}
	}
}

func joinNumbers(numbers []int) string {
	out := ""
	for i, n := range numbers {
		if i > 0 {
			out += ", "
		}
		out += fmt.Sprint(n)
	}
	return out
}
