package records

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// lines reads lines of bounded length.
type lines struct {
	r    *bufio.Reader
	max  int    // the longest line, in bytes without its end
	line int    // of the line that was read last
	held []byte // of the line being read
}

// read returns the next line without its LF or CRLF, and how many bytes it has. When that is more than max, line is only
// its beginning. The line is valid until the next call. The error is io.EOF after the last line.
func (l *lines) read() (line []byte, size int, err error) {
	whole := l.max + len("\r\n") // a line with more bytes is certainly too long
	l.held = l.held[:0]
	for more := true; more; {
		var part []byte
		part, err = l.r.ReadSlice('\n')
		size += len(part)
		l.held = append(l.held, part[:min(len(part), whole-len(l.held))]...)
		more = errors.Is(err, bufio.ErrBufferFull)
	}
	if err != nil && (size == 0 || !errors.Is(err, io.EOF)) { // a last line may have no end
		return nil, 0, err
	}
	l.line++
	if size <= whole {
		l.held = bytes.TrimSuffix(l.held, []byte("\n"))
		l.held = bytes.TrimRight(l.held, "\r")
		size = len(l.held)
	}
	return l.held[:min(len(l.held), l.max)], size, nil
}

// content returns the next line that is not blank. A byte order mark before it, as where files were joined, is dropped, and so
// is the end mark of DOS.
func (l *lines) content() (line []byte, size int, err error) {
	for {
		line, size, err = l.read()
		if err == nil && size <= l.max {
			line = bytes.TrimSuffix(bytes.TrimPrefix(line, []byte(bom)), []byte{0x1a})
			size = len(line)
		}
		if err != nil || size > l.max || len(bytes.TrimSpace(line)) > 0 {
			return line, size, err
		}
	}
}

// jsonLines reads a JSON value a line.
type jsonLines struct{ lines }

func (l *jsonLines) next() (Record, error) {
	line, size, err := l.content()
	if err != nil {
		return Record{}, err
	}
	rec := Record{Line: l.line}
	if size > l.max {
		rec.Err = tooLong(size, l.max)
		return rec, nil
	}
	rec.Value, rec.Err = lineValue(line)
	return rec, nil
}

// lineValue reads the value of a line, behind which there may be a comma.
func lineValue(line []byte) (json.RawMessage, error) {
	value, err := valueOf(line)
	if err == nil {
		return value, nil
	}
	if text, comma := bytes.CutSuffix(bytes.TrimSpace(line), []byte(",")); comma {
		if value, err := valueOf(text); err == nil {
			return value, nil
		}
	}
	return nil, err
}

// plainLines reads a prompt a line.
type plainLines struct{ lines }

func (l *plainLines) next() (Record, error) {
	line, size, err := l.content()
	if err != nil {
		return Record{}, err
	}
	rec := Record{Line: l.line, Plain: true}
	switch at := invalidUTF8(line); {
	case size > l.max:
		rec.Err = tooLong(size, l.max)
	case at >= 0:
		rec.Err = notUTF8(line, at)
	default:
		rec.Value, rec.Err = json.Marshal(string(line))
	}
	return rec, nil
}
