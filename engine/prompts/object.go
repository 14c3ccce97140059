package prompts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Object is a line of JSONL with columns of its own.
type Object struct {
	fields map[string]json.RawMessage
}

// ReadObjects reads JSONL at path, or from stdin when path is "-", an object a line, read as Read does. take gets each with
// its line, counted from 1; its errors are reasons of bad rows. full reports whether no more is wanted. sha is that of the
// input's raw bytes, all of them.
func ReadObjects(path string, stdin io.Reader, full func() bool, take func(o Object, line int) error) (bad []BadRow, sha string, err error) {
	c := collector{full: full, put: func(f form, line []byte, n int) error {
		if f != jsonl {
			return errors.New("the line: plain text; this is to be JSONL, an object a line")
		}
		fields, err := object(line)
		if err != nil {
			return fmt.Errorf("the line: %w", err)
		}
		return take(Object{fields}, n)
	}}
	if sha, err = c.open(path, stdin, MaxLine); err != nil {
		return nil, "", fmt.Errorf("read %s: %w", c.name, err)
	}
	return c.bad, sha, nil
}

// Text is the text of a column. It must be there, and not be blank.
func (o Object) Text(column string) (string, error) {
	v, ok := o.fields[column]
	if !ok {
		return "", fmt.Errorf("%s: missing; the line's keys: %s", column, keysOf(o.fields))
	}
	return text(v, column)
}

// Or is the text of a column that may be missing: then, or where it is no text, "".
func (o Object) Or(column string) string {
	var s string
	if json.Unmarshal(o.fields[column], &s) != nil {
		return ""
	}
	return s
}

// ID is the id of the object, a text or a number; "" where it has none.
func (o Object) ID() (string, error) {
	v, ok := o.fields["id"]
	if !ok {
		return "", nil
	}
	id, err := parseID(v)
	if err != nil {
		return "", fmt.Errorf("id: %w", err)
	}
	return id, nil
}

// Texts are the texts of a column that is a list of them, at least one. None is blank.
func (o Object) Texts(column string) (out []string, err error) {
	v, ok := o.fields[column]
	if !ok {
		return nil, fmt.Errorf("%s: missing; the line's keys: %s", column, keysOf(o.fields))
	}
	var list []json.RawMessage
	if err := json.Unmarshal(v, &list); err != nil {
		return nil, fmt.Errorf("%s: %s, want a list of texts", column, kind(v))
	}
	for i, v := range list {
		s, err := text(v, fmt.Sprintf("%s[%d]", column, i))
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: no texts in the list", column)
	}
	return out, nil
}

// text reads a text that is not blank.
func text(v json.RawMessage, column string) (string, error) {
	s, err := parseText(v)
	if err != nil {
		return "", fmt.Errorf("%s: %w", column, err)
	}
	return s, nil
}
