package prompts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"amend/engine/chat"
	"amend/engine/revise"
)

// form is what the lines of an input are.
type form int

const (
	unknown form = iota // no line with content seen
	jsonl
	plain
)

// collector reads the lines of an input.
type collector struct {
	name string
	form form
	bad  []BadRow
	// full reports whether no more is wanted, put takes a line; put's errors are reasons of a BadRow.
	full func() bool
	put  func(f form, line []byte, n int) error
}

// collect reads lines to the end or until it is full.
func (c *collector) collect(l *lines) error {
	for n := 1; !c.full(); n++ {
		line, size, err := l.next()
		switch {
		case errors.Is(err, io.EOF) && n == 1:
			return errors.New("the input is empty")
		case errors.Is(err, io.EOF) && c.form == unknown && len(c.bad) == 0:
			return errors.New("the input holds nothing but blank lines")
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("line %d: %w", n, err)
		}
		content := bytes.TrimSpace(line)
		if len(content) == 0 && size <= l.max {
			continue
		}
		if c.form == unknown && len(content) > 0 {
			if c.form, err = formOf(content); err != nil {
				return err
			}
		}
		if err := c.add(line, size, l.max, n); err != nil {
			c.bad = append(c.bad, BadRow{File: c.name, Line: n, Reason: err.Error()})
		}
	}
	return nil
}

// formOf tells the form of an input from its first line with content.
func formOf(line []byte) (form, error) {
	if bytes.HasPrefix(line, []byte("{")) {
		return jsonl, nil
	}
	if rest, ok := bytes.CutPrefix(line, []byte("[")); ok {
		rest = bytes.TrimSpace(rest)
		if len(rest) == 0 || rest[0] == '{' {
			return unknown, errors.New("this is one JSON array; it must be JSONL, an object a line: jq -c '.[]' makes that")
		}
	}
	return plain, nil
}

// add takes a line; its errors are reasons of a BadRow.
func (c *collector) add(line []byte, size, max, n int) error {
	if size > max {
		return fmt.Errorf("the line: %d bytes, at most %d can be read", size, max)
	}
	if at := invalidUTF8(line); at >= 0 {
		return fmt.Errorf("the line: not valid UTF-8 at byte %d", at+1)
	}
	return c.put(c.form, line, n)
}

// rows puts lines into a set, as rows of a run.
func (s *Set) rows(o Options) func(f form, line []byte, n int) error {
	given := newIDs()
	return func(f form, line []byte, n int) error {
		var row revise.Row
		var err error
		if f == jsonl {
			row, err = parseRow(line, o.FromResponses)
		} else {
			row, err = plainRow(line)
		}
		if err != nil {
			return err
		}
		if row.ID, err = given.assign(row.ID, row.Messages, n); err != nil {
			return err
		}
		row.Index = len(s.Rows)
		s.Rows = append(s.Rows, row)
		return nil
	}
}

// plainRow is a line of plain text: the whole line is the prompt. A JSONL row
// there means that the file's first line is damaged, and is not taken for a
// prompt.
func plainRow(line []byte) (revise.Row, error) {
	if obj, err := object(line); err == nil {
		for _, key := range sources {
			if _, ok := obj[key]; ok {
				return revise.Row{}, fmt.Errorf("the line: a JSON object with %s, but the input is plain text, since its first line with content does not begin with '{'", key)
			}
		}
	}
	text := string(line)
	if err := checkText(text); err != nil {
		return revise.Row{}, fmt.Errorf("the line: %w", err)
	}
	return revise.Row{Messages: []chat.Message{{Role: chat.User, Text: text}}}, nil
}

// invalidUTF8 returns where b stops being UTF-8, −1 when it never does.
func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// checkText refuses the texts that no turn may be.
func checkText(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("empty")
	}
	if i := strings.IndexByte(s, 0); i >= 0 {
		return fmt.Errorf("holds a NUL character at byte %d", i+1)
	}
	return nil
}
