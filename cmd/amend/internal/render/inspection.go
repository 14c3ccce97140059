package render

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"amend/cmd/amend/internal/app"
)

// Inspection says how inputs are read.
func Inspection(w io.Writer, r app.InspectReport) error {
	p := &Page{w: w, width: DefaultWidth}
	for _, f := range r.Files {
		p.field("file", f.File)
		p.field("form", f.Form)
		p.field("read", strings.Join(f.Columns, ", "))
		p.field("ignored", strings.Join(f.Ignored, ", "))
		p.field("records", fmt.Sprintf("%s, %s of them cannot be read", Grouped(f.Read+f.Bad), Grouped(f.Bad)))
	}
	p.field("not read", strings.Join(r.Skipped, ", "))
	if len(r.Files) > 1 {
		p.field("together", fmt.Sprintf("%s, %s of them cannot be read", counted(r.Rows+r.Bad, "record"), Grouped(r.Bad)))
	}
	if r.Answered > 0 {
		p.field("answers", "rows that start from a response in the input: "+Grouped(r.Answered))
	}
	if r.Marked > 0 {
		p.field("marks", "rows that hold marks of turns, such as <|im_start|> or [INST], as text: "+Grouped(r.Marked))
	}
	if r.IDColumn != "" {
		p.field("id", fmt.Sprintf("none is read; a column could be it: --map %s", quoted("id="+r.IDColumn)))
	}
	for _, b := range r.Reasons {
		p.field("bad", fmt.Sprintf("%s:%d: %s", b.File, b.Line, b.Reason))
		if b.Count > 1 {
			p.field("", "and "+counted(b.Count-1, "more record"))
		}
	}
	if r.First != nil {
		p.Text("\n")
		p.first(*r.First)
	}
	return p.err
}

// quoted is an argument as a shell takes it.
func quoted(arg string) string {
	plain := func(r rune) bool {
		return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("=_-.,:/", r))
	}
	if strings.IndexFunc(arg, func(r rune) bool { return !plain(r) }) < 0 {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// field writes a label and its text, continued below itself where it is long; nothing where there is no text.
func (p *Page) field(label, text string) {
	if text == "" {
		return
	}
	for _, line := range Wrap(Printable(text), p.width-LabelWidth) {
		p.Text(fmt.Sprintf("%-*s%s\n", LabelWidth, label, line))
		label = ""
	}
}

// first writes the first row or pair.
func (p *Page) first(r app.FirstRow) {
	p.Heading(0, "the first: "+Printable(r.ID))
	part := func(what, text string) {
		p.Heading(1, what)
		p.Wrapped(2, text)
	}
	for _, m := range r.Messages {
		part(string(m.Role), m.Text)
	}
	if r.Response != nil {
		part("response to start from", *r.Response)
	}
	if r.Chosen != "" {
		part("chosen", r.Chosen)
		part("rejected", r.Rejected)
	}
	for _, a := range []struct{ name, text string }{{"tags", strings.Join(r.Tags, ", ")}, {"language", r.Language}, {"jurisdiction", r.Jurisdiction}} {
		if a.text != "" {
			part(a.name, a.text)
		}
	}
}
