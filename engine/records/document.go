package records

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// values reads JSON values one after another. A comma between two is dropped.
type values struct{ scanner }

func (v *values) next() (Record, error) {
	if c, err := v.peek(); err == nil && c == ',' {
		if _, err := v.read(); err != nil {
			return Record{}, err
		}
	}
	return v.record()
}

// items reads the items of one JSON list, which may be in an object.
type items struct {
	scanner
	key     string // of the list in the object; empty where there is none
	started bool
	done    bool
	opened  int      // the line of the list's bracket
	items   int      // read so far
	skipped []string // the keys of what else is in the object
}

// note names what else is in the object.
func (d *items) note() string {
	if len(d.skipped) == 0 {
		return ""
	}
	return ", without " + enumerate(d.skipped)
}

// skip skips a member beside the list. Another list of rows is refused: one would be left out.
func (d *items) skip(key string) error {
	first := d.opens()
	if first != 0 && first != ']' && isWrapper(key) || first == '{' && !describes(key) {
		return fmt.Errorf("line %d: two lists of rows, %q and %q; take one: jq .%s", d.line, d.key, key, d.key)
	}
	const most = 100
	if len(d.skipped) < most {
		d.skipped = append(d.skipped, clip(key))
	}
	_, err := d.value()
	return err
}

func (d *items) next() (Record, error) {
	if d.done {
		return Record{}, io.EOF
	}
	more, err := d.more()
	if err != nil {
		return Record{}, whole(err, d.line)
	}
	if more {
		rec, err := d.record()
		if d.items++; rec.Line == d.opened {
			rec.Item = d.items
		}
		return rec, whole(err, d.line)
	}
	d.done = true
	if d.key != "" {
		if err := d.members(); err != nil {
			return Record{}, whole(err, d.line)
		}
	}
	if c, err := d.peek(); err == nil {
		return Record{}, fmt.Errorf("line %d: %q after the end of the JSON document; it must be one list, or JSONL", d.line, c)
	} else if !errors.Is(err, io.EOF) {
		return Record{}, err
	}
	return Record{}, io.EOF
}

// whole makes the end of the input within a document the error that it is.
func whole(err error, line int) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("line %d: the JSON document is cut off here, before its end: %w", line, io.ErrUnexpectedEOF)
	}
	return err
}

// more reads up to the next item, or behind the list's end.
func (d *items) more() (bool, error) {
	if !d.started {
		d.started = true
		if d.key != "" {
			if err := d.find(); err != nil {
				return false, err
			}
		}
		if _, err := d.peek(); err != nil {
			return false, err
		}
		d.opened = d.line
		if _, err := d.read(); err != nil { // the bracket that opens the list
			return false, err
		}
		c, err := d.peek()
		if err != nil || c != ']' {
			return true, err
		}
	}
	c, err := d.peek()
	if err != nil {
		return false, err
	}
	if _, err := d.read(); err != nil {
		return false, err
	}
	switch c {
	case ']':
		return false, nil
	case ',':
		c, err := d.peek()
		if err == nil && c == ']' { // behind a comma that separates nothing
			_, err = d.read()
			return false, err
		}
		return true, err
	}
	return false, fmt.Errorf("line %d: %q, expected a comma or the end of the list", d.line, c)
}

// find reads the object up to the list.
func (d *items) find() error {
	if _, err := d.peek(); err != nil {
		return err
	}
	if _, err := d.read(); err != nil { // the brace that opens the object
		return err
	}
	for {
		key, err := d.member()
		if err != nil || key == d.key {
			return err
		}
		if err := d.skip(key); err != nil {
			return err
		}
		if c, err := d.peek(); err != nil {
			return err
		} else if c == ',' {
			if _, err := d.read(); err != nil {
				return err
			}
		}
	}
}

// member reads a key and the colon behind it.
func (d *items) member() (string, error) {
	text, err := d.value()
	if err != nil {
		return "", err
	}
	var key string
	if json.Unmarshal(text, &key) != nil {
		return "", fmt.Errorf("line %d: %s, expected a key", d.line, text)
	}
	c, err := d.peek()
	if err != nil {
		return "", err
	}
	if c != ':' {
		return "", fmt.Errorf("line %d: %q, expected a colon after the key %q", d.line, c, key)
	}
	_, err = d.read()
	return key, err
}

// members reads what comes after the list in the object.
func (d *items) members() error {
	for {
		c, err := d.peek()
		if err != nil {
			return err
		}
		if _, err := d.read(); err != nil {
			return err
		}
		switch c {
		case '}':
			return nil
		case ',':
		default:
			return fmt.Errorf("line %d: %q, expected a comma or the end of the object", d.line, c)
		}
		key, err := d.member()
		if err != nil {
			return err
		}
		if err := d.skip(key); err != nil {
			return err
		}
	}
}
