package render

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// DefaultWidth is the width of reports that do not go to a terminal, in cells.
const DefaultWidth = 80

// Page lays out text in a fixed width. It keeps the first error of its writer.
type Page struct {
	w     io.Writer
	width int  // cells
	bold  bool // headings are set off by more than their indentation
	err   error
}

// Text writes text as it is.
func (p *Page) Text(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, s)
	}
}

// Heading writes a line at a depth of indentation.
func (p *Page) Heading(depth int, s string) {
	if p.bold {
		s = "\x1b[1m" + s + "\x1b[0m"
	}
	p.Text(strings.Repeat("  ", depth) + s + "\n")
}

// Wrapped writes text of a model or a user: broken at spaces to fit, indented, made harmless.
func (p *Page) Wrapped(depth int, s string) {
	indent := strings.Repeat("  ", depth)
	if s = strings.TrimRight(Printable(s), " \n"); s == "" {
		s = "(empty)"
	}
	for _, line := range Wrap(s, p.width-len(indent)) {
		p.Text(strings.TrimRight(indent+line, " ") + "\n")
	}
}

// Wrap breaks text into lines of at most so many cells, at spaces where it can. Lines keep their indentation. It does not
// use ansi.Wrap, which breaks at hyphens too: that would tear the marks of a comparison, [-so-], from their words.
func Wrap(text string, width int) []string {
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

// Table writes rows of cells in aligned columns. Cells may hold wide characters, and the last column is cut to fit.
func (p *Page) Table(rows [][]string) {
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
		line.WriteString(ansi.Truncate(row[last], max(p.width-used, 12), "…"))
		p.Text(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// Printable replaces what would act on a terminal instead of being shown: control characters, escape
// sequences and marks that turn the direction of writing. Line feeds stay, tabs become spaces.
func Printable(s string) string {
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

// OneLine is printable in one line, with single spaces.
func OneLine(s string) string {
	return Printable(strings.Join(strings.Fields(s), " "))
}

// NewPage lays text out for a terminal at its width, and for anything else at 80 columns without colour.
func NewPage(w io.Writer) *Page {
	p := &Page{w: w, width: DefaultWidth}
	f, ok := w.(interface{ Fd() uintptr })
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return p
	}
	p.bold = os.Getenv("NO_COLOR") == ""
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		p.width = max(width, 40)
	}
	return p
}
