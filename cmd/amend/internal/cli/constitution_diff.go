package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"amend/constitution"
)

func newConstitutionDiffCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "diff A B",
		Short:   "Show what differs between two constitutions, for review",
		Long:    "Show added, removed, re-weighted and reworded principles, word by word: [-removed-] {+added+}.",
		Example: "  amend constitution diff udhr echr\n  amend constitution diff old.yaml new.yaml --json",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := constitution.Load(args[0])
			if err != nil {
				return err
			}
			b, err := constitution.Load(args[1])
			if err != nil {
				return err
			}
			d := constitution.Diff(a, b)
			if asJSON {
				return printJSON(cmd.OutOrStdout(), d)
			}
			return printDifference(newPage(cmd.OutOrStdout()), d)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// printDifference writes a difference so that it can be read in a pull request.
func printDifference(p *page, d constitution.Difference) error {
	if d.Empty() {
		p.text("no difference\n")
		return p.err
	}
	p.text(fmt.Sprintf("%d added, %d removed, %d changed\n", len(d.Added), len(d.Removed), len(d.Changed)))
	for _, q := range d.Removed {
		p.text("\n")
		p.heading(0, "- "+q.ID)
		p.wrapped(1, q.Text)
	}
	for _, q := range d.Added {
		p.text("\n")
		p.heading(0, fmt.Sprintf("+ %s  (weight %v)", q.ID, q.Weight))
		p.wrapped(1, q.Text)
		for _, s := range q.Sources {
			p.wrapped(1, "source: "+s.String())
		}
	}
	for _, e := range d.Changed {
		p.text("\n")
		p.heading(0, "~ "+e.ID)
		printEdit(p, e)
	}
	if d.Moved {
		p.text("\nThe principles that both have stand in another order, which changes what is drawn.\n")
	}
	for _, i := range d.Demonstrations {
		p.text(fmt.Sprintf("\nDemonstration %d differs.\n", i+1))
	}
	for _, i := range d.Judgements {
		p.text(fmt.Sprintf("\nJudgement %d differs.\n", i+1))
	}
	return p.err
}

func printEdit(p *page, e constitution.Edit) {
	if e.Weight != nil {
		p.wrapped(1, fmt.Sprintf("weight: %v → %v (%.1f → %.1f %% of draws)", e.Weight[0], e.Weight[1], 100*e.Share[0], 100*e.Share[1]))
	}
	for _, t := range e.Texts {
		p.heading(1, t.Field)
		p.wrapped(2, markedWords(t.Words))
	}
	for _, l := range e.Lists {
		var parts []string
		for _, x := range l.Removed {
			parts = append(parts, "[-"+x+"-]")
		}
		for _, x := range l.Added {
			parts = append(parts, "{+"+x+"+}")
		}
		p.wrapped(1, l.Field+": "+strings.Join(parts, " "))
	}
	if n := len(e.Chain); n > 1 && e.Chain[n-1].Reason != "" {
		p.wrapped(1, "reason ("+e.Chain[n-1].Layer+"): "+e.Chain[n-1].Reason)
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
