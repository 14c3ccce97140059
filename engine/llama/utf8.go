package llama

import "unicode/utf8"

// Streamer joins the pieces of tokens into text that never ends within a
// character. Bytes that belong to none come out as U+FFFD, one for each: the
// text is the same however it was cut into pieces. The zero value is ready; one
// goroutine at a time may use it.
type Streamer struct {
	tail []byte // the start of a character that is not complete
}

// Write takes the next piece and returns the text that is certain now, which may
// be empty. It does not keep piece.
func (s *Streamer) Write(piece []byte) string {
	b := append(s.tail, piece...)
	n := len(b)
	for back := 1; back < utf8.UTFMax && back <= len(b); back++ {
		if i := len(b) - back; utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				n = i
			}
			break
		}
	}
	text := validUTF8(b[:n])
	s.tail = append(s.tail[:0], b[n:]...)
	return text
}

// Flush returns what is left at the end: nothing, or U+FFFD for each byte of a
// character that was not completed. The Streamer can be used again.
func (s *Streamer) Flush() string {
	text := validUTF8(s.tail)
	s.tail = s.tail[:0]
	return text
}

// Pending is the number of bytes that wait for the rest of their character.
func (s *Streamer) Pending() int { return len(s.tail) }

// validUTF8 is b with U+FFFD for every byte that is not UTF-8.
func validUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return string([]rune(string(b)))
}
