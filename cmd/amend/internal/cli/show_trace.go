package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"amend/constitution"
	"amend/engine"
	"amend/engine/revise"
)

// printTrace writes everything that was said in a row.
func printTrace(p *page, rec revise.Record) error {
	p.heading(0, fmt.Sprintf("row %d  %s", rec.Index, oneLine(rec.ID)))
	p.wrapped(1, fmt.Sprintf("seed %d", rec.Seed))
	p.text("\n")
	p.heading(0, "conversation")
	for _, m := range rec.Messages {
		p.heading(1, oneLine(string(m.Role)))
		p.wrapped(2, m.Content)
	}
	round, try, draft := 0, 0, ""
	for _, t := range rec.Turns {
		if t.Round != round || t.Try != try {
			round, try = t.Round, t.Try
			p.text("\n")
			p.heading(0, roundName(t))
			p.verdicts(rec, round, try)
		}
		p.turn(t)
		if t.Kind == revise.Revision {
			p.changes(draft, t.Text)
		}
		if t.Gate != nil {
			p.decision(*t.Gate)
		}
		if t.IsAnswer() {
			draft = t.Text
		}
	}
	p.gated(rec)
	if rec.Error != "" {
		p.text("\n")
		p.heading(0, "failed")
		p.wrapped(1, rec.Error)
	}
	return p.err
}

// turn writes one turn: what was asked, how it went, what came.
func (p *page) turn(t revise.Trace) {
	depth := 1
	if t.Kind == revise.Response {
		depth = 0
		p.text("\n")
	} else {
		p.heading(depth, string(t.Kind)+" request")
		p.wrapped(depth+1, t.Request)
	}
	p.heading(depth, string(t.Kind))
	p.wrapped(depth+1, "["+turnFacts(t)+"]")
	if t.Think != "" {
		p.heading(depth+1, "thoughts")
		p.wrapped(depth+2, t.Think)
		p.heading(depth+1, "answer")
	}
	p.wrapped(depth+1, t.Text)
}

// mostCompared is the largest product of two texts' words that are compared: it takes as many numbers in memory.
const mostCompared = 4 << 20

// changes shows what a revision made of its draft, word by word, as amend constitution diff does.
func (p *page) changes(draft, revision string) {
	switch {
	case draft == revision:
		return
	case len(strings.Fields(draft))*len(strings.Fields(revision)) > mostCompared:
		p.heading(1, "changes")
		p.wrapped(2, "(too long to be compared word by word)")
		return
	}
	words := constitution.DiffWords(draft, revision)
	kept, all := 0, len(strings.Fields(draft))
	for _, w := range words {
		if w.Op == constitution.Keep {
			kept += len(strings.Fields(w.Text))
		}
	}
	p.heading(1, "changes")
	if 3*kept < all { // a comparison word by word would be confetti
		p.wrapped(2, fmt.Sprintf("(written anew: %d of %d words were kept)", kept, all))
		return
	}
	p.wrapped(2, markedWords(words))
}

// turnFacts says how a turn ended, what it cost and what is wrong with it.
func turnFacts(t revise.Trace) string {
	if t.End == revise.EndGiven {
		return joinFlags("came with the prompt", t.Flags)
	}
	ended := map[engine.End]string{
		engine.EndToken: "ended by itself", engine.EndStop: "ended at a stop string", engine.EndLength: "cut at the token limit",
	}[t.End]
	if ended == "" {
		ended = "ended: " + oneLine(string(t.End))
	}
	facts := fmt.Sprintf("%s; prompt %s tokens, %s reused; %s decoded", ended, grouped(t.Prompt), grouped(t.Reused), grouped(t.Decoded))
	if t.Retokenized > 0 {
		facts += fmt.Sprintf(", %s retokenized", grouped(t.Retokenized))
	}
	return joinFlags(facts+fmt.Sprintf("; seed %d", t.Seed), t.Flags)
}

func joinFlags(facts string, flags []revise.Flag) string {
	if len(flags) == 0 {
		return facts
	}
	var names []string
	for _, f := range flags {
		names = append(names, string(f))
	}
	return facts + "; flags: " + strings.Join(names, ", ")
}

// defaultWidth is the width of reports that do not go to a terminal, in cells.
const defaultWidth = 80

// page lays out text in a fixed width. It keeps the first error of its writer.
type page struct {
	w     io.Writer
	width int  // cells
	bold  bool // headings are set off by more than their indentation
	err   error
}

func (p *page) text(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, s)
	}
}

// heading writes a line at a depth of indentation.
func (p *page) heading(depth int, s string) {
	if p.bold {
		s = "\x1b[1m" + s + "\x1b[0m"
	}
	p.text(strings.Repeat("  ", depth) + s + "\n")
}

// wrapped writes text of a model or a user: broken at spaces to fit, indented, made harmless.
func (p *page) wrapped(depth int, s string) {
	indent := strings.Repeat("  ", depth)
	if s = strings.TrimRight(printable(s), " \n"); s == "" {
		s = "(empty)"
	}
	for _, line := range wrap(s, p.width-len(indent)) {
		p.text(strings.TrimRight(indent+line, " ") + "\n")
	}
}

// wrap breaks text into lines of at most so many cells, at spaces where it can. Lines keep their indentation.
func wrap(text string, width int) []string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		words := strings.TrimLeft(line, " ")
		done := line[:min(len(line)-len(words), width/2)] // the line so far
		for i, word := range strings.Split(words, " ") {
			switch {
			case i == 0:
				done += word
			case ansi.StringWidth(done)+1+ansi.StringWidth(word) <= width:
				done += " " + word
			default:
				out = append(out, done)
				done = word
			}
			for ansi.StringWidth(done) > width {
				head := ansi.Truncate(done, width, "")
				out = append(out, head)
				done = done[len(head):]
			}
		}
		out = append(out, done)
	}
	return out
}

// table writes rows of cells in aligned columns. The last column is cut to fit.
func (p *page) table(rows [][]string) {
	const gap = 2
	last := len(rows[0]) - 1
	widths := make([]int, last)
	used := 0
	for i := range widths {
		for _, row := range rows {
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
		used += widths[i] + gap
	}
	for _, row := range rows {
		var line strings.Builder
		for i, width := range widths {
			line.WriteString(row[i] + strings.Repeat(" ", width-ansi.StringWidth(row[i])+gap))
		}
		line.WriteString(ansi.Truncate(row[last], max(p.width-used, 20), "…"))
		p.text(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// printable replaces what would act on a terminal instead of being shown: control characters, escape
// sequences and marks that turn the direction of writing. Line feeds stay, tabs become spaces.
func printable(s string) string {
	var b strings.Builder
	for _, r := range strings.ReplaceAll(s, "\r\n", "\n") {
		switch {
		case r == '\n':
			b.WriteRune(r)
		case r == '\t':
			b.WriteString("    ")
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			fmt.Fprintf(&b, "<U+%04X>", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// oneLine is printable in one line, with single spaces.
func oneLine(s string) string {
	return printable(strings.Join(strings.Fields(s), " "))
}
