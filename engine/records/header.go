package records

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// heading is what a line is as the header of a table.
type heading struct {
	line   []byte
	comma  byte // between its fields
	fields []string
	// known says that one of the fields is a column that may hold a row's text.
	known bool
}

// heading looks at the first line as a header. A line with a field that is no name has no fields.
func (d *detector) heading(l look) heading {
	h := heading{line: l.line, comma: d.separator(l.line)}
	for _, f := range strings.Split(string(l.line), string(h.comma)) {
		f = strings.Trim(strings.TrimSpace(f), `"`)
		if len(f) > 64 || strings.ContainsAny(f, ".?!") {
			return heading{line: l.line, comma: h.comma}
		}
		h.fields = append(h.fields, f)
		h.known = h.known || d.Column(f) || d.Column(strings.ToLower(f))
	}
	if len(h.fields) == 1 {
		switch strings.ToLower(h.fields[0]) {
		case "prompts", "questions", "text":
			h.known = true
		}
		h.known = h.known && len(l.rest) > 0 // a word alone is a prompt
	}
	return h
}

// separator is what separates the fields of a header.
func (d *detector) separator(line []byte) byte {
	switch {
	case d.sep != 0:
		return d.sep
	case d.name.tabs() && bytes.IndexByte(line, '\t') >= 0:
		return '\t'
	}
	comma, most := byte(','), 0
	for _, c := range []byte(",\t;|") {
		if n := bytes.Count(line, []byte{c}); n > most {
			comma, most = c, n
		}
	}
	return comma
}

// names reports whether all fields are written as columns are: short, without a blank after a comma as in prose.
func (h heading) names() bool {
	if len(h.fields) < 2 || bytes.Contains(h.line, []byte{h.comma, ' '}) {
		return false
	}
	for i, f := range h.fields {
		first := strings.IndexFunc(f, func(r rune) bool { return r == '_' || unicode.IsLetter(r) })
		if f == "" && i == 0 { // the index of pandas
			continue
		}
		if first != 0 || len(f) > 40 || len(strings.Fields(f)) > 3 || strings.ContainsAny(f, ":…") {
			return false
		}
	}
	return true
}

// fits reports whether the lines after a header split into as many fields as it has.
func (h heading) fits(rest []byte) bool {
	n := widths(rest, h.comma)
	for _, w := range n {
		if w != len(h.fields) {
			return false
		}
	}
	return len(n) > 0
}

// widths are how many fields the records of a text have, which may be cut off.
func widths(text []byte, comma byte) (n []int) {
	t := &table{r: bufio.NewReader(bytes.NewReader(text)), comma: comma, max: headSize}
	for {
		fields, _, err := t.fields()
		if err != nil {
			break
		}
		n = append(n, len(fields))
	}
	if len(text) >= headSize/2 && len(n) > 0 {
		n = n[:len(n)-1]
	}
	return n
}

// refuse is the error of a table whose name does not say that it is one.
func (h heading) refuse(line int) error {
	what := "name the file .csv"
	switch {
	case h.comma == '\t':
		what = "name the file .tsv"
	case h.comma == '|':
		what = "write it with commas between the columns, and name the file .csv"
	}
	if !h.known {
		what += " and name the prompts' column with --map prompt=COLUMN"
	}
	return fmt.Errorf("line %d looks like the header of a table (%s), and the name does not say that it is one; %s; if each line is a prompt, write them as JSON texts: jq -R . FILE > FILE.jsonl", line, clip(string(h.line)), what)
}

// check refuses a first line that is no header of the table that the name promises.
func (h heading) check(n name, line int, rest []byte) error {
	after := widths(rest, h.comma)
	same := len(after) > 0
	for _, w := range after {
		same = same && w > 1 && w == after[0]
	}
	switch {
	case n.tabs() && h.comma != '\t' && len(h.fields) > 1:
		return fmt.Errorf("line %d: the header has %q between its fields, and the name says tabs; name the file .csv", line, h.comma)
	case h.comma == '|':
		return fmt.Errorf("line %d: the header has '|' between its fields; write the table with commas", line)
	case bytes.IndexByte(h.line, h.comma) < 0 && !h.known && same:
		return fmt.Errorf("line %d has one field and the lines after it have %d; if a title stands above the header, remove it", line, after[0])
	}
	return nil
}

// separatorLine returns the separator that Excel writes above a header, as sep=; does. 0: the line is none.
func separatorLine(line []byte) byte {
	line = bytes.TrimSpace(line)
	if len(line) != len("sep=;") || !strings.EqualFold(string(line[:4]), "sep=") {
		return 0
	}
	return line[4]
}
