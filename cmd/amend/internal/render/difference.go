package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"amend/cmd/amend/internal/app"
	"amend/constitution"
	"amend/engine/runstore"
)

// Difference writes a difference so that it can be read in a pull request.
func Difference(p *Page, d constitution.Difference) error {
	if d.Empty() {
		p.Text("no difference\n")
		return p.err
	}
	p.Text(fmt.Sprintf("%d added, %d removed, %d changed\n", len(d.Added), len(d.Removed), len(d.Changed)))
	for _, q := range d.Removed {
		p.Text("\n")
		p.Heading(0, "- "+q.ID)
		p.Wrapped(1, q.Text)
	}
	for _, q := range d.Added {
		p.Text("\n")
		p.Heading(0, fmt.Sprintf("+ %s  (weight %v)", q.ID, q.Weight))
		p.Wrapped(1, q.Text)
		for _, s := range q.Sources {
			p.Wrapped(1, "source: "+s.String())
		}
	}
	for _, e := range d.Changed {
		p.Text("\n")
		p.Heading(0, "~ "+e.ID)
		edit(p, e)
	}
	if d.Moved {
		p.Text("\nThe principles that both have are in another order, which changes the draws.\n")
	}
	for _, i := range d.Demonstrations {
		p.Text(fmt.Sprintf("\nDemonstration %d differs.\n", i+1))
	}
	for _, i := range d.Judgements {
		p.Text(fmt.Sprintf("\nJudgement %d differs.\n", i+1))
	}
	if d.TestsAdded+d.TestsRemoved > 0 {
		p.Text(fmt.Sprintf("\nTest judgements: %d added, %d removed.\n", d.TestsAdded, d.TestsRemoved))
	}
	return p.err
}

func edit(p *Page, e constitution.Edit) {
	if e.Weight != nil {
		p.Wrapped(1, fmt.Sprintf("weight: %v → %v (%.1f → %.1f %% of draws)", e.Weight[0], e.Weight[1], 100*e.Share[0], 100*e.Share[1]))
	}
	for _, t := range e.Texts {
		p.Heading(1, t.Field)
		p.Wrapped(2, markedWords(t.Words))
	}
	for _, l := range e.Lists {
		var parts []string
		for _, x := range l.Removed {
			parts = append(parts, "[-"+x+"-]")
		}
		for _, x := range l.Added {
			parts = append(parts, "{+"+x+"+}")
		}
		p.Wrapped(1, l.Field+": "+strings.Join(parts, " "))
	}
	if n := len(e.Chain); n > 1 && e.Chain[n-1].Reason != "" {
		p.Wrapped(1, "reason ("+e.Chain[n-1].Layer+"): "+e.Chain[n-1].Reason)
	}
}

// markedWords writes a comparison as git's --word-diff does.
func markedWords(words []constitution.Word) string {
	var parts []string
	for _, w := range words {
		switch w.Op {
		case constitution.Insert:
			parts = append(parts, "{+"+w.Text+"+}")
		case constitution.Delete:
			parts = append(parts, "[-"+w.Text+"-]")
		case constitution.Keep:
			parts = append(parts, w.Text)
		}
	}
	return strings.Join(parts, " ")
}

// Refused writes why a run is not continued, and what to do.
func Refused(w io.Writer, e *runstore.ChangedError) error {
	_, err := fmt.Fprintf(w, `%s
Give another --out for a new run, the old inputs and settings to continue this one, or --redo to do its rows
again with these: turns that are still what they would be are not computed again (--plan counts them).`, e.Differences())
	return err
}

// ConstitutionChanged writes why a run is not continued, what to do, and how its constitution differs.
func ConstitutionChanged(w io.Writer, e *app.ConstitutionChangedError) error {
	if err := Refused(w, e.Refused); err != nil {
		return err
	}
	narrowed := ""
	if !slices.Equal(e.Then, e.Now) {
		narrowed = fmt.Sprintf("\n--principles were %s then and are %s now.", app.Selection(e.Then), app.Selection(e.Now))
	}
	var difference strings.Builder
	if err := Difference(NewPage(&difference), e.Difference); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\nthe constitution, then and now: %s", narrowed, strings.TrimSuffix(difference.String(), "\n"))
	return err
}
