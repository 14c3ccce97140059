package prompts

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"amend/engine/records"
)

// place is where a record stands.
type place struct {
	file string
	line int
}

// collector reads the records of an input.
type collector struct {
	given Mapping
	// full reports whether no more is wanted. take takes the fields of a record; its errors are reasons of a BadRow.
	full func() bool
	take func(f *fields, at place) error
	max  int // the longest record in bytes; 0: records.MaxRecord

	findID bool
	ids    idColumns
	bad    []BadRow
	report Report
}

// read collects the records of all files. sha is the hash of the file's bytes; of several files that of their hashes, in
// hexadecimal and each with a line end.
func (c *collector) read(paths Paths, stdin io.Reader) (sha string, err error) {
	files, skipped, err := records.Expand(paths)
	if err != nil {
		return "", err
	}
	if len(files) == 0 {
		return "", errors.New("no input is given")
	}
	c.report.Skipped = append([]string{}, skipped...)
	all := sha256.New()
	for _, file := range files {
		if sha, err = c.readFile(file, stdin); err != nil {
			return "", fmt.Errorf("%s: %w", display(file), err)
		}
		fmt.Fprintln(all, sha)
	}
	c.report.IDColumn = c.ids.name()
	if len(files) == 1 {
		return sha, nil
	}
	return fmt.Sprintf("%x", all.Sum(nil)), nil
}

// display is a file's name in messages.
func display(file string) string {
	if file == "-" {
		return "stdin"
	}
	return file
}

// readFile collects the records of a file, or hashes it alone where no more are wanted.
func (c *collector) readFile(file string, stdin io.Reader) (sha string, err error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }() // only read
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return "", errors.New("it is a folder")
		}
		in = f
	}
	if len(c.report.Files) > 0 && c.full() {
		hash := sha256.New()
		_, err := io.Copy(hash, in)
		return fmt.Sprintf("%x", hash.Sum(nil)), err
	}
	return c.readOpen(file, in)
}

// readOpen collects the records of an open file.
func (c *collector) readOpen(file string, in io.Reader) (sha string, err error) {
	r, err := records.Open(file, in, records.Options{Max: c.max, Column: c.isColumn})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	report, columns := FileReport{File: display(file)}, tally{}
	for !c.full() {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		at := place{display(file), rec.Line}
		if rec.Member != "" {
			at.file += "/" + rec.Member
		}
		unit := r.Unit()
		if rec.Item > 0 {
			unit = fmt.Sprintf("record %d", rec.Item)
		}
		if err := c.add(rec, unit, at, &columns); err != nil {
			if rec.Item > 0 && !strings.HasPrefix(err.Error(), unit+": ") {
				err = named(unit, err)
			}
			report.Bad++
			c.bad = append(c.bad, BadRow{File: at.file, Line: at.line, Reason: err.Error()})
			continue
		}
		report.Read++
	}
	if report.Read+report.Bad == 0 && !c.full() {
		return "", errors.New("the input holds no records")
	}
	report.Form = r.Form()
	report.Columns, report.Ignored = columns.columns()
	c.report.Files = append(c.report.Files, report)
	return r.SHA256()
}

// add takes a record; its errors are reasons of a BadRow.
func (c *collector) add(rec records.Record, unit string, at place, columns *tally) error {
	if rec.Err != nil {
		return named(unit, rec.Err)
	}
	f, err := c.fields(rec)
	if err != nil {
		return named(unit, err)
	}
	err = c.take(f, at)
	if !f.bare {
		columns.add(f, err == nil)
	}
	if c.findID && err == nil {
		c.ids.add(f)
	}
	if bytes.Contains(rec.Value, []byte(`"reasoning_content"`)) {
		columns.ignore("reasoning_content of turns")
	}
	if errors.Is(err, errShapeless) || errors.Is(err, errPairless) || errors.Is(err, errNoPair) {
		return named(unit, err)
	}
	return err
}

// fields are the fields of a record. A text is a prompt, a list the turns of a conversation.
func (c *collector) fields(rec records.Record) (*fields, error) {
	k := kind(rec.Value)
	switch {
	case k == "an object":
		f, err := newFields(rec.Value)
		if err != nil {
			return nil, err
		}
		f.given, f.cells = c.given, rec.Cells
		if rec.Cells {
			f.foldCase(c.isColumn)
		}
		return f.unwrapped()
	case len(c.given) > 0:
		return nil, fmt.Errorf("%s, which has no columns to map", k)
	case rec.Plain && looksLikeRow(rec.Value):
		return nil, errRowInText
	case k == "a text":
		return bare("prompt", rec.Value), nil
	case k == "a list" && !isListOfTexts(rec.Value):
		return bare("messages", rec.Value), nil
	case k == "a list":
		return nil, errListOfTexts
	}
	return nil, fmt.Errorf("%s, want an object, a text or a list of turns", k)
}

// bare are the fields of a record that is no object.
func bare(field string, v json.RawMessage) *fields {
	return &fields{values: map[string]json.RawMessage{field: v}, names: []string{field}, read: map[string]bool{}, bare: true}
}

var (
	errRowInText   = errors.New("a JSON object with a prompt, but the input is plain text, since its first line with content does not begin with '{'")
	errListOfTexts = errors.New("a list of texts, which may be several prompts or the turns of a conversation; write each prompt as a text or an object of its own, turns as {\"role\", \"content\"}")
)

// looksLikeRow reports whether a line of plain text is a row in JSON: then the file's first line is damaged.
func looksLikeRow(text json.RawMessage) bool {
	line, err := parseString(text)
	if err != nil || !strings.HasPrefix(strings.TrimSpace(line), "{") || !json.Valid([]byte(line)) {
		return false
	}
	f, err := newFields([]byte(strings.TrimSpace(line)))
	return err == nil && slices.ContainsFunc(f.names, isColumn)
}

// isListOfTexts reports whether a JSON list begins with a text.
func isListOfTexts(v json.RawMessage) bool {
	var items []json.RawMessage
	return json.Unmarshal(v, &items) == nil && len(items) > 0 && kind(items[0]) == "a text"
}

// isColumn reports whether a column may hold a row's text.
func (c *collector) isColumn(name string) bool {
	for _, column := range c.given {
		if column == name {
			return true
		}
	}
	return isColumn(name)
}
