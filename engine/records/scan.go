package records

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// maxDepth is how deep lists and objects may be nested, as in encoding/json.
const maxDepth = 10000

// scanner cuts a text into JSON values, by brackets and quotes alone. It holds one value at a time.
type scanner struct {
	r    *bufio.Reader
	line int // of the next byte
	max  int // the longest value that is held, in bytes
	held []byte
	size int    // of the value
	open []byte // the brackets that are open
}

// cutOff is the error of a text that ends within a value.
func cutOff(line int, what string) error {
	return fmt.Errorf("line %d: %s that begins here never ends: the file is cut off or a bracket or quote is missing: %w", line, what, io.ErrUnexpectedEOF)
}

// read reads a byte.
func (s *scanner) read() (byte, error) {
	c, err := s.r.ReadByte()
	if c == '\n' && err == nil {
		s.line++
	}
	return c, err
}

// peek skips white space and returns the next byte without reading it. The error is io.EOF at the end.
func (s *scanner) peek() (byte, error) {
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case '\n':
			s.line++
		case ' ', '\t', '\r':
		default:
			return c, s.r.UnreadByte()
		}
	}
}

// value reads the value that comes next. Where it is longer than max, text is only its beginning. It is valid until the
// next call.
func (s *scanner) value() (text []byte, err error) {
	c, err := s.peek()
	if err != nil {
		return nil, err
	}
	begun := s.line
	s.held, s.size, s.open = s.held[:0], 0, s.open[:0]
	switch c {
	case '{', '[':
		err = s.brackets()
	case '"':
		err = s.text()
	default:
		err = s.word()
	}
	if errors.Is(err, io.EOF) {
		err = cutOff(begun, "the JSON value")
	}
	return s.held, err
}

// take reads the next byte into the value.
func (s *scanner) take() (byte, error) {
	c, err := s.read()
	if err == nil {
		if s.size < s.max {
			s.held = append(s.held, c)
		}
		s.size++
	}
	return c, err
}

// brackets takes a list or an object.
func (s *scanner) brackets() error {
	for {
		c, err := s.take()
		if err != nil {
			return err
		}
		switch c {
		case '{', '[':
			if s.open = append(s.open, c+2); len(s.open) > maxDepth { // the bracket that closes it
				return fmt.Errorf("line %d: nested lists and objects, more than %d deep", s.line, maxDepth)
			}
		case '}', ']':
			last := len(s.open) - 1
			if s.open[last] != c {
				return fmt.Errorf("line %d: %q, expected %q", s.line, c, s.open[last])
			}
			if s.open = s.open[:last]; last == 0 {
				return nil
			}
		case '"':
			if err := s.rest(); err != nil {
				return err
			}
		}
	}
}

// text takes a text.
func (s *scanner) text() error {
	if _, err := s.take(); err != nil {
		return err
	}
	return s.rest()
}

// rest takes a text behind its first quote.
func (s *scanner) rest() error {
	for {
		c, err := s.take()
		if err == nil && c == '\\' {
			_, err = s.take()
			c = 0
		}
		if err != nil {
			return err
		}
		if c == '"' {
			return nil
		}
	}
}

// word takes a number, true, false or null, up to what can end one.
func (s *scanner) word() error {
	for {
		next, err := s.r.Peek(1)
		switch {
		case errors.Is(err, io.EOF) && s.size > 0:
			return nil
		case err != nil:
			return err
		}
		switch next[0] {
		case ',', ':', ']', '}', '{', '[', '"', ' ', '\t', '\r', '\n':
			if s.size == 0 {
				return fmt.Errorf("line %d: %q, expected a JSON value", s.line, next[0])
			}
			return nil
		}
		if _, err := s.take(); err != nil {
			return err
		}
	}
}

// record makes the value that comes next a record.
func (s *scanner) record() (Record, error) {
	if _, err := s.peek(); err != nil {
		return Record{}, err
	}
	rec := Record{Line: s.line}
	text, err := s.value()
	if err != nil {
		return rec, err
	}
	if s.size > s.max {
		rec.Err = tooLong(s.size, s.max)
		return rec, nil
	}
	rec.Value, rec.Err = valueOf(text)
	return rec, nil
}
