package records

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// table reads CSV or TSV with a header (RFC 4180). A quote within a field that does not begin with one is a character.
// Line breaks within a field stay as they are; encoding/csv would change CRLF.
type table struct {
	r      *bufio.Reader
	comma  byte
	max    int // the longest record, in bytes
	line   int // of the next byte
	size   int // of the record being read, in bytes
	header []string
	quotes []bool   // which fields of the record are in quotes
	blanks bool     // blanks after a separator are dropped: the header has them
	spaced bool     // the record has a blank before a quote
	absent []string // the words read as no value, in the order in which they came
}

// newTable reads the header.
func newTable(r *bufio.Reader, comma byte, max, line int) (*table, error) {
	t := &table{r: r, comma: comma, max: max, line: line}
	t.blanks = t.afterCommas()
	fields, at, err := t.fields()
	switch {
	case err != nil:
		return nil, err
	case t.size > t.max:
		return nil, fmt.Errorf("line %d: the header: %w", at, tooLong(t.size, t.max))
	}
	for i, f := range fields {
		name := string(bytes.TrimSpace(f))
		if name == "" && len(fields) > 1 { // such as the index that pandas writes, who reads it back under this name
			name = fmt.Sprintf("Unnamed: %d", i)
		}
		if !utf8.ValidString(name) {
			return nil, fmt.Errorf("line %d: the header is not valid UTF-8; %s", at, convert(f))
		}
		if slices.Contains(t.header, name) {
			return nil, fmt.Errorf("line %d: the header has the column %q twice; rename one", at, name)
		}
		t.header = append(t.header, name)
	}
	return t, nil
}

// afterCommas reports whether the header has a blank after each separator.
func (t *table) afterCommas() bool {
	head, _ := t.r.Peek(headSize) // what is wrong comes again
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	n := bytes.Count(line, []byte{t.comma})
	return n > 0 && t.comma != '\t' && n == bytes.Count(line, []byte{t.comma, ' '}) && bytes.IndexByte(line, '"') < 0
}

func (t *table) next() (Record, error) {
	fields, at, err := t.fields()
	if err != nil {
		return Record{}, err
	}
	rec := Record{Line: at, Cells: true}
	switch {
	case t.size > t.max:
		rec.Err = tooLong(t.size, t.max)
	case t.spaced:
		rec.Err = errors.New("a blank before a quote that opens a field; remove it, or the field's quotes are taken for its text")
	case t.isHeader(fields), !t.quotes[0] && bytes.HasPrefix(fields[0], []byte(bom)):
		rec.Err = errors.New("a header again, as where files were joined; remove the line, or give each file by itself")
	case len(fields) != len(t.header):
		rec.Err = fmt.Errorf("%d fields, the header has %d; a field with a comma or a line break must be in quotes", len(fields), len(t.header))
	default:
		rec.Value, rec.Err = t.object(fields)
	}
	return rec, nil
}

// isHeader reports whether a record is the header again.
func (t *table) isHeader(fields [][]byte) bool {
	return slices.EqualFunc(fields, t.header, func(f []byte, name string) bool { return string(bytes.TrimSpace(f)) == name })
}

// isAbsent reports whether a field is no value: empty, or without quotes a word that databases and pandas write for none.
func (t *table) isAbsent(i int, field []byte) bool {
	if t.quotes[i] {
		return len(field) == 0
	}
	switch word := string(field); word {
	case "":
		return true
	case "NULL", `\N`, "nan", "NaN":
		if !slices.Contains(t.absent, word) {
			t.absent = append(t.absent, word)
		}
		return true
	}
	return false
}

// note names the words that were read as no value.
func (t *table) note() string {
	if len(t.absent) == 0 {
		return ""
	}
	return ", " + strings.Join(t.absent, " and ") + " read as no value"
}

// object makes fields a JSON object. An absent field is null.
func (t *table) object(fields [][]byte) (json.RawMessage, error) {
	out := []byte{'{'}
	for i, f := range fields {
		if at := invalidUTF8(f); at >= 0 {
			return nil, fmt.Errorf("column %s: %w", t.header[i], notUTF8(f, at))
		}
		value := []byte("null")
		if !t.isAbsent(i, f) {
			var err error
			if value, err = json.Marshal(string(f)); err != nil {
				return nil, err
			}
		}
		name, err := json.Marshal(t.header[i])
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// fields reads the fields of the next record that is not a blank line. Of one that is too long they are not all there. The
// error is io.EOF after the last.
func (t *table) fields() (fields [][]byte, line int, err error) {
	for {
		line, t.size, t.spaced, t.quotes, fields = t.line, 0, false, t.quotes[:0], nil
		for last := false; !last; {
			var field []byte
			var quoted bool
			if field, quoted, last, err = t.field(); err != nil {
				return nil, line, err
			}
			if t.size <= t.max {
				fields, t.quotes = append(fields, field), append(t.quotes, quoted)
			}
		}
		if t.size > 0 && (len(fields) != 1 || len(bytes.Trim(fields[0], " \t\r\n\x1a")) > 0) { // with the end mark of DOS
			return fields, line, nil
		}
		if _, err := t.r.Peek(1); err != nil {
			return nil, line, err
		}
	}
}

// read reads a byte of the record.
func (t *table) read() (byte, error) {
	c, err := t.r.ReadByte()
	if err != nil {
		return 0, err
	}
	if c == '\n' {
		t.line++
	}
	t.size++
	return c, nil
}

// field reads a field. last says that the record ends with it.
func (t *table) field() (text []byte, quoted, last bool, err error) {
	if err := t.skipBlanks(); err != nil {
		return nil, false, false, err
	}
	if next, err := t.r.Peek(1); err == nil && next[0] == '"' {
		text, last, err = t.quoted()
		return text, true, last, err
	}
	text, last, err = t.unquoted()
	return text, false, last, err
}

// unquoted reads a field without quotes.
func (t *table) unquoted() (text []byte, last bool, err error) {
	if next, err := t.r.Peek(2); err == nil && string(next) == ` "` {
		t.spaced = true
	}
	for {
		c, err := t.read()
		switch {
		case errors.Is(err, io.EOF):
			return text, true, nil
		case err != nil:
			return nil, false, err
		case c == t.comma:
			return text, false, nil
		case c == '\n':
			return bytes.TrimRight(text, "\r"), true, nil
		case t.size <= t.max:
			text = append(text, c)
		}
	}
}

// skipBlanks drops the blanks before a field, in a table that has them.
func (t *table) skipBlanks() error {
	for t.blanks {
		if next, err := t.r.Peek(1); err != nil || next[0] != ' ' {
			return nil
		}
		if _, err := t.read(); err != nil {
			return err
		}
	}
	return nil
}

// quoted reads a field in quotes, in which two quotes are one.
func (t *table) quoted() (text []byte, last bool, err error) {
	begun := t.line
	if _, err := t.read(); err != nil {
		return nil, false, err
	}
	for {
		c, err := t.read()
		switch {
		case errors.Is(err, io.EOF):
			return nil, false, fmt.Errorf("line %d: a quote that opens here is never closed: %w", begun, io.ErrUnexpectedEOF)
		case err != nil:
			return nil, false, err
		case c == '"':
			if next, err := t.r.Peek(1); err != nil || next[0] != '"' {
				last, err := t.after(begun)
				return text, last, err
			}
			if _, err := t.read(); err != nil {
				return nil, false, err
			}
		}
		if t.size <= t.max {
			text = append(text, c)
		}
	}
}

// after reads what ends a field in quotes.
func (t *table) after(begun int) (last bool, err error) {
	c, err := t.read()
	for err == nil && c == '\r' {
		c, err = t.read()
	}
	switch {
	case errors.Is(err, io.EOF):
		return true, nil
	case err != nil:
		return false, err
	case c == t.comma:
		return false, nil
	case c == '\n':
		return true, nil
	}
	return false, fmt.Errorf("line %d: %q after a field in quotes, which began on line %d: a quote within such a field must be doubled; what comes after it cannot be told apart", t.line, c, begun)
}
