package prompts

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lines reads lines of bounded length.
type lines struct {
	r    *bufio.Reader
	max  int    // the longest line, in bytes without its end
	held []byte // of the line being read
}

// next returns the next line without its LF or CRLF, and how many bytes it
// has. When that is more than max, line is only its beginning. The line is
// valid until the next call. The error is io.EOF after the last line.
func (l *lines) next() (line []byte, size int, err error) {
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
	if size <= whole {
		l.held = bytes.TrimSuffix(l.held, []byte("\n"))
		l.held = bytes.TrimSuffix(l.held, []byte("\r"))
		size = len(l.held)
	}
	return l.held[:min(len(l.held), l.max)], size, nil
}
