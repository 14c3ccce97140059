package records

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
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
}

// newTable reads the header.
func newTable(r *bufio.Reader, comma byte, max, line int) (*table, error) {
	t := &table{r: r, comma: comma, max: max, line: line}
	fields, at, err := t.fields()
	switch {
	case err != nil:
		return nil, err
	case t.size > t.max:
		return nil, fmt.Errorf("line %d: the header: %w", at, tooLong(t.size, t.max))
	}
	for _, f := range fields {
		name := string(bytes.TrimSpace(f))
		if !utf8.ValidString(name) {
			return nil, fmt.Errorf("line %d: the header is not valid UTF-8; convert the file, for example with iconv -f WINDOWS-1252 -t UTF-8", at)
		}
		if slices.Contains(t.header, name) && name != "" {
			return nil, fmt.Errorf("line %d: the header has the column %q twice; rename one", at, name)
		}
		t.header = append(t.header, name)
	}
	return t, nil
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
	case len(fields) != len(t.header):
		rec.Err = fmt.Errorf("%d fields, the header has %d; a field with a comma or a line break must be in quotes", len(fields), len(t.header))
	default:
		rec.Value, rec.Err = t.object(fields)
	}
	return rec, nil
}

// object makes fields a JSON object. An empty field is null.
func (t *table) object(fields [][]byte) (json.RawMessage, error) {
	out := []byte{'{'}
	for i, f := range fields {
		if t.header[i] == "" { // such as the index that pandas writes
			continue
		}
		if at := invalidUTF8(f); at >= 0 {
			return nil, fmt.Errorf("column %s: %w", t.header[i], notUTF8(at))
		}
		value := []byte("null")
		if len(f) > 0 {
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
		line, t.size, fields = t.line, 0, nil
		for last := false; !last; {
			var field []byte
			if field, last, err = t.field(); err != nil {
				return nil, line, err
			}
			if t.size <= t.max {
				fields = append(fields, field)
			}
		}
		if t.size > 0 && (len(fields) != 1 || len(bytes.TrimSpace(fields[0])) > 0) {
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
func (t *table) field() (text []byte, last bool, err error) {
	if next, err := t.r.Peek(1); err == nil && next[0] == '"' {
		return t.quoted()
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
			return bytes.TrimSuffix(text, []byte{'\r'}), true, nil
		case t.size <= t.max:
			text = append(text, c)
		}
	}
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
				last, err := t.behind(begun)
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

// behind reads what ends a field in quotes.
func (t *table) behind(begun int) (last bool, err error) {
	c, err := t.read()
	if err == nil && c == '\r' {
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
	return false, fmt.Errorf("line %d: %q behind a field in quotes, which began on line %d: a quote within such a field must be doubled; what comes after it cannot be told apart", t.line, c, begun)
}
