package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"amend/cmd/amend/internal/app"
	"amend/constitution"
)

// Constitutions lists embedded constitutions.
func Constitutions(w io.Writer, l app.ConstitutionList) error {
	rows := [][]string{{"NAME", "PRINCIPLES", "LAYERS", "TITLE"}}
	for _, c := range l.Constitutions {
		rows = append(rows, []string{c.Name, strconv.Itoa(c.Principles), strings.Join(c.Layers, " "), c.Title})
	}
	return Table(w, rows)
}

// Findings writes what lint found, a line each, and how much that is.
func Findings(w io.Writer, r app.LintReport) error {
	for _, f := range r.Findings {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	looked := counted(r.Principles, "principle") + ", " + counted(r.Demonstrations, "demonstration") + ", " + counted(r.Judgements, "judgement")
	if r.Rows > 0 {
		looked += ", " + counted(r.Rows, "row")
	}
	found := "nothing found"
	if len(r.Findings) > 0 {
		found = counted(r.Count(constitution.Error), "error") + ", " + counted(r.Count(constitution.Warning), "warning")
	}
	_, err := fmt.Fprintf(w, "%s: %s: %s\n", r.Constitution, looked, found)
	return err
}

// Constitution writes a constitution with all its principles.
func Constitution(p *Page, doc *constitution.Document) error {
	p.Heading(0, doc.Name+", version "+OrNone(doc.Version))
	p.Wrapped(1, doc.Title)
	if doc.Description != "" {
		p.Wrapped(1, doc.Description)
	}
	p.Wrapped(1, fmt.Sprintf("layers: %s; %d principles, %d switched off, %d demonstrations, %d judgements shown, %d tested; sha256 %s",
		strings.Join(doc.LayerNames(), ", "), len(doc.Principles), len(doc.Off), len(doc.Demonstrations), len(doc.Shown()), len(doc.Tested()), doc.Hash()))
	for _, q := range doc.Principles {
		p.Text("\n")
		p.Heading(0, fmt.Sprintf("%s  (weight %v, %.1f %% of draws)", q.ID, q.Weight, 100*doc.Share(q.ID)))
		p.Wrapped(1, q.Text)
	}
	for _, q := range doc.Off {
		p.Text("\n")
		p.Heading(0, q.ID+"  (switched off)")
		p.Wrapped(1, q.Reason)
		if out := q.Chain[len(q.Chain)-1].LeftOut(); out != "" {
			p.Wrapped(1, out)
		}
	}
	return p.err
}

// Principle explains one principle: each field with where it is from, and what each layer did.
func Principle(p *Page, doc *constitution.Document, q constitution.Principle) error {
	state := fmt.Sprintf("weight %v, %.1f %% of draws", q.Weight, 100*doc.Share(q.ID))
	if q.Off {
		state = "switched off"
	}
	p.Heading(0, q.ID+"  ("+state+")")
	field := func(key, text string) {
		if text == "" {
			return
		}
		p.Heading(1, key+origin(q, key))
		p.Wrapped(2, text)
	}
	field("title", q.Title)
	field("text", q.Text)
	field("critique_request", q.CritiqueRequest)
	field("revision_request", q.RevisionRequest)
	field("judge_instruction", q.JudgeInstruction)
	field("verdict_request", q.VerdictRequest)
	field("framing", string(q.Framing))
	field("tags", strings.Join(q.Tags, ", "))
	var sources []string
	for _, s := range q.Sources {
		sources = append(sources, s.String())
	}
	field("sources", strings.Join(sources, "; "))
	field("applies", appliesText(q.Applies))
	p.Text("\n")
	p.Heading(0, "layers")
	for _, c := range q.Chain {
		text := fmt.Sprintf("%s, line %d: %s", c.Layer, c.Line, c.Action)
		if len(c.Fields) > 0 && c.Action == constitution.Changed {
			text += " " + strings.Join(c.Fields, ", ")
		}
		if c.Reason != "" {
			text += ". " + c.Reason
		}
		if out := c.LeftOut(); out != "" {
			text += " (" + out + ")"
		}
		p.Wrapped(1, text)
	}
	return p.err
}

func origin(q constitution.Principle, key string) string {
	o, ok := q.Origins[key]
	if !ok {
		return ""
	}
	return "  (" + o.String() + ")"
}

func appliesText(a constitution.Applies) string {
	var parts []string
	for _, l := range []struct {
		name string
		list []string
	}{{"jurisdictions", a.Jurisdictions}, {"languages", a.Languages}, {"prompt tags", a.PromptTags}} {
		if len(l.list) > 0 {
			parts = append(parts, l.name+" "+strings.Join(l.list, ", "))
		}
	}
	return strings.Join(parts, "; ")
}
