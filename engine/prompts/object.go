package prompts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Object is a record with columns of its own.
type Object struct {
	fields *fields
}

// Objects is what was read of an input of objects.
type Objects struct {
	// Bad are the records that could not be read.
	Bad    []BadRow
	SHA256 string // as Set's
	Report Report
}

// ReadObjects reads inputs as Read does. take gets each object with its place, such as "line-1" for the first; its errors are
// reasons of bad rows. full reports whether no more is wanted.
func ReadObjects(paths Paths, stdin io.Reader, full func() bool, take func(o Object, line int) error) (out Objects, err error) {
	c := collector{full: full, take: func(f *fields, at place) error {
		if f.bare {
			return errors.New("a text or a list; this is to be an object with columns")
		}
		return take(Object{f}, at.line)
	}}
	if out.SHA256, err = c.read(paths, stdin); err != nil {
		return out, fmt.Errorf("read %w", err)
	}
	out.Bad, out.Report = c.bad, c.report
	return out, nil
}

// Text is the text of a column. It must be there, and not be blank.
func (o Object) Text(column string) (string, error) {
	v, ok := o.fields.get(column)
	if !ok {
		return "", fmt.Errorf("%s: missing; the columns: %s", column, o.fields.list())
	}
	s, err := parseText(v)
	return s, named(column, err)
}

// Or is the text of a column that may be missing: then, or where it is no text, "".
func (o Object) Or(column string) string {
	v, ok := o.fields.get(column)
	var s string
	if !ok || json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}

// ID is the id of the object, a text or a number; "" where it has none.
func (o Object) ID() (string, error) { return o.fields.id() }

// Texts are the texts of a column that is a list of them, at least one. None is blank.
func (o Object) Texts(column string) (out []string, err error) {
	v, ok := o.fields.get(column)
	if !ok {
		return nil, fmt.Errorf("%s: missing; the columns: %s", column, o.fields.list())
	}
	list, err := items(v)
	if err != nil {
		return nil, fmt.Errorf("%s: %s, want a list of texts", column, kind(v))
	}
	for i, v := range list {
		s, err := parseText(v)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", column, i, err)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: no texts in the list", column)
	}
	return out, nil
}
