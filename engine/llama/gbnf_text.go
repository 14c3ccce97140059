package llama

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// char reads one character, or an escape for one.
func (p *gbnfParser) char() (rune, error) {
	switch c := p.peek(); c {
	case 0:
		return 0, p.failf("the text ends within quotes or brackets")
	case '\\':
		return p.escape()
	}
	r, n := utf8.DecodeRuneInString(p.text[p.pos:])
	p.pos += n
	return r, nil
}

func (p *gbnfParser) escape() (rune, error) {
	rest := p.text[p.pos+1:]
	if rest == "" {
		return 0, p.failf("the text ends within an escape")
	}
	switch c := rest[0]; c {
	case 'x':
		return p.hex(2)
	case 'u':
		return p.hex(4)
	case 'U':
		return p.hex(8)
	case 't', 'r', 'n', '\\', '"', '[', ']', '-':
		p.pos += 2
		if i := strings.IndexByte("trn", c); i >= 0 {
			return rune("\t\r\n"[i]), nil
		}
		return rune(c), nil
	}
	return 0, p.failf("unknown escape %s", p.here())
}

// hex reads an escape that gives a character's number in that many digits.
func (p *gbnfParser) hex(digits int) (rune, error) {
	text := p.text[p.pos+2:]
	text = text[:min(digits, len(text))]
	value, err := strconv.ParseUint(text, 16, 31)
	if err != nil || len(text) < digits {
		return 0, p.failf("%s wants %d hexadecimal digits", p.text[p.pos:p.pos+2], digits)
	}
	p.pos += 2 + digits
	return rune(value), nil
}

// number reads a count for a repetition.
func (p *gbnfParser) number() (int, error) {
	start := p.pos
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.pos++
	}
	digits := p.text[start:p.pos]
	if digits == "" {
		return 0, p.failf("want a number and there is %s", p.here())
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n > maxRepetition {
		return 0, p.failf("%s repetitions, and there may be %d", digits, maxRepetition)
	}
	return n, nil
}

func (p *gbnfParser) name() (string, error) {
	start := p.pos
	for gbnfWord(p.peek()) {
		p.pos++
	}
	if p.pos == start {
		return "", p.failf("want the name of a rule and there is %s", p.here())
	}
	return p.text[start:p.pos], nil
}

// gbnfWord reports a character of rule names.
func gbnfWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-'
}

// space skips blanks and comments, and line ends where they mean nothing.
func (p *gbnfParser) space(lines bool) {
	for {
		switch c := p.peek(); {
		case c == '#':
			for c := p.peek(); c != 0 && c != '\r' && c != '\n'; c = p.peek() {
				p.pos++
			}
		case c == ' ' || c == '\t' || lines && (c == '\r' || c == '\n'):
			p.pos++
		default:
			return
		}
	}
}

// peek is the next byte, or 0 at the end.
func (p *gbnfParser) peek() byte {
	if p.pos >= len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

// here is the text at hand, for a message.
func (p *gbnfParser) here() string {
	rest, _, _ := strings.Cut(p.text[p.pos:], "\n")
	if rest == "" {
		return "none"
	}
	if runes := []rune(rest); len(runes) > 20 {
		rest = string(runes[:20]) + "…"
	}
	return strconv.Quote(rest)
}

func (p *gbnfParser) failf(format string, args ...any) error {
	line := 1 + strings.Count(p.text[:p.pos], "\n")
	return fmt.Errorf("%w: line %d: %s", ErrGrammar, line, fmt.Sprintf(format, args...))
}
