package render

import (
	"fmt"

	"amend/cmd/amend/internal/app"
	"amend/engine/feedback"
	"amend/engine/revise"
)

// labels writes how a row's answers are labelled.
func (p *Page) labels(rec revise.Record, labels *app.RunLabels) {
	if labels == nil || len(labels.ByRow[rec.ID]) == 0 {
		return
	}
	p.Text("\n")
	p.Heading(0, "labels under "+OneLine(labels.Settings.Constitution))
	for _, l := range labels.ByRow[rec.ID] {
		p.Wrapped(1, labelled(labels, l))
		for i := 0; i+1 < len(l.Judgements); i += 2 {
			given, swapped := l.Judgements[i], l.Judgements[i+1]
			line := fmt.Sprintf("%s: %.3f, in the other order %.3f", OneLine(given.Principle), given.P, swapped.P)
			if given.Invalid || swapped.Invalid {
				line += "; invalid"
			}
			p.Wrapped(2, line)
		}
	}
}

// labelled says which pair a label is of, and what it is.
func labelled(labels *app.RunLabels, l feedback.Label) string {
	source := labels.Settings.Source
	of := fmt.Sprintf("round %d against round %d", source.From, source.To)
	if source.Samples {
		of = "samples " + OneLine(l.ID)
	}
	switch {
	case l.Error != "":
		return of + ": not judged: " + OneLine(l.Error)
	case l.P == nil:
		return of + ": no valid judgement"
	}
	flipped, principles := l.Flips()
	return fmt.Sprintf("%s: the first is the better one with probability %.3f (%s, %d flipped)", of, *l.P, counted(principles, "principle"), flipped)
}

// labelCell is a row's label in a table: how likely its later answer is the better one.
func labelCell(labels *app.RunLabels, id string) string {
	if labels == nil || labels.Settings.Source.Samples || len(labels.ByRow[id]) == 0 || labels.ByRow[id][0].P == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", 1-*labels.ByRow[id][0].P)
}
