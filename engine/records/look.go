package records

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// look is what a text begins with.
type look struct {
	line []byte // the first line with content
	rest []byte // of the lines after it
	cut  bool   // line is only the beginning of one that is too long
}

// all is what was looked at.
func (l look) all() []byte { return append(append(bytes.Clone(l.line), '\n'), l.rest...) }

// isObject reports whether a text that begins with a brace is JSON, or is meant to be. A prompt may begin so too: {name}.
func (l look) isObject(plain bool) bool {
	behind := bytes.TrimSpace(l.line[1:])
	return !plain || len(behind) == 0 || bytes.IndexByte([]byte(`"}'`), behind[0]) >= 0 && !l.prose()
}

// prose reports whether a JSON value begins the first line, and words go on after it.
func (l look) prose() bool {
	s := scanner{r: bufio.NewReader(bytes.NewReader(l.line)), line: 1, max: len(l.line)}
	value, err := s.value()
	if err != nil {
		return false
	}
	if _, err := valueOf(value); err != nil {
		return false
	}
	next, err := s.peek()
	return err == nil && bytes.IndexByte([]byte(",:;{[]}\""), next) < 0
}

// continues reports whether the first line is the beginning of a JSON value that goes on in the next.
func (l look) continues() bool {
	if json.Valid(l.line) || len(l.rest) == 0 {
		return false
	}
	s := scanner{r: bufio.NewReader(bytes.NewReader(l.line)), line: 1, max: len(l.line)}
	_, err := s.value()
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(s.open) == 0 {
		return false
	}
	last, next := l.line[len(l.line)-1], l.rest[0]
	switch last {
	case '{':
		return next == '"' || next == '}'
	case ',':
		return s.open[len(s.open)-1] == ']' || next == '"'
	case '[', ':':
		line, _, _ := bytes.Cut(l.rest, []byte{'\n'})
		return !json.Valid(bytes.TrimSpace(line)) || next != '{' // else it is the next row, and the first was cut off
	}
	return next == ',' || next == '}' || next == ']' || next == ':'
}

// dialogue reports whether the lines are those of a transcript.
func (l look) dialogue() bool {
	for _, names := range [][2]string{{"Human:", "Assistant:"}, {"User:", "Assistant:"}, {"USER:", "ASSISTANT:"}} {
		first := bytes.TrimPrefix(l.line, []byte("SYSTEM:"))
		first = bytes.TrimPrefix(first, []byte("System:"))
		if (len(first) < len(l.line) || bytes.HasPrefix(l.line, []byte(names[0]))) && bytes.Contains(append([]byte{'\n'}, l.rest...), []byte("\n"+names[1])) {
			return true
		}
	}
	return false
}

// isList reports whether a text that begins with a bracket is JSON. A prompt may begin so too.
func (l look) isList(plain bool) bool {
	behind := bytes.TrimSpace(l.line[1:])
	alone := len(behind) == 0 // the bracket is a line
	if alone {
		behind = l.rest
	}
	if _, err := lineValue(l.line); err == nil || len(behind) == 0 {
		return true
	}
	if !bytes.ContainsRune([]byte(`{["`), rune(behind[0])) {
		return false
	}
	if !plain {
		return true
	}
	if l.prose() {
		return false
	}
	s := scanner{r: bufio.NewReader(bytes.NewReader(behind)), line: 1, max: len(behind)}
	first, err := s.value()
	if err != nil {
		return errors.Is(err, io.ErrUnexpectedEOF) && behind[0] != '"'
	}
	c, err := s.peek()
	_, invalid := valueOf(first)
	return invalid == nil && (errors.Is(err, io.EOF) || c == ',' || alone)
}

// turns reports whether a JSON list is a conversation. The list may be only its beginning.
func turns(text []byte) bool {
	s := scanner{r: bufio.NewReader(bytes.NewReader(text[1:])), line: 1, max: len(text)}
	first, err := s.value()
	return err == nil && isTurn(first)
}

// isTexts reports whether lines are JSON texts. Under a name of plain text all that are seen must be.
func (l look) isTexts(plain bool) bool {
	if _, err := lineValue(l.line); err != nil {
		return false
	}
	seen := strings.Split(string(l.rest), "\n")
	if len(l.rest) >= headSize/2 {
		seen = seen[:len(seen)-1] // it may be cut
	}
	for _, line := range seen {
		line = strings.TrimSpace(line)
		if _, err := lineValue([]byte(line)); plain && line != "" && (line[0] != '"' || err != nil) {
			return false
		}
	}
	return true
}
