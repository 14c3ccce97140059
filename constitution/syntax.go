package constitution

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// lineReader gives the YAML library one line at a time. When it fails, the lines that it took say how far it came; its
// messages often name the line where the surrounding list or mapping starts.
type lineReader struct {
	rest  []byte
	taken int // lines
}

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := len(r.rest)
	if i := bytes.IndexByte(r.rest, '\n'); i >= 0 {
		n = i + 1
	}
	n = copy(p, r.rest[:n])
	if r.rest[n-1] == '\n' || n == len(r.rest) {
		r.taken++
	}
	r.rest = r.rest[n:]
	return n, nil
}

var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

// yamlProblem gives a message of the YAML library a file and, where it names one, a line.
func yamlProblem(file, message string) Problem {
	p := Problem{File: file, Message: strings.TrimPrefix(message, "yaml: ")}
	if at := yamlLine.FindStringSubmatch(message); at != nil {
		if line, err := strconv.Atoi(at[1]); err == nil {
			p.Line, p.Column, p.Message = line, 1, at[2]
		}
	}
	return p
}

// syntaxProblem says in which line YAML cannot be read, why, and what to write instead. taken is how many lines the
// library took.
func syntaxProblem(file string, data []byte, taken int, err error) Problem {
	p := yamlProblem(file, err.Error())
	lines := strings.Split(string(data), "\n")
	last := min(taken, len(lines))
	if strings.Contains(p.Message, "unexpected end of stream") {
		p.Message = "a quote opens here and is not closed"
		return p
	}
	// The library reads on to see whether a text goes on, so the fault is in one of the last lines.
	for n := last; n > max(0, last-3); n-- {
		if cause := syntaxCause(p.Message, lines[n-1]); cause != "" {
			return Problem{file, n, 1, cause + " (" + p.Message + ")"}
		}
	}
	if p.Line > 0 && last > 0 {
		p.Message += fmt.Sprintf("; the reader came to line %d: keys that belong together begin in the same column, and a text that holds a colon and a space needs quotes", last)
	}
	return p
}

const quoteIt = `: put the text in quotes, or write ">-" there and the text, indented, on the next line`

var (
	tabbed  = regexp.MustCompile(`^ *(- *)?\t`)
	noSpace = regexp.MustCompile(`^ *(- +)*[a-z_]+:[^\s:/]`)
	entry   = regexp.MustCompile(`^ *(?:- +)*(?:[\w-]+:(?: +|$))?(.*)$`)
	quoted  = regexp.MustCompile(`^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*[^\s#]`)
	braced  = regexp.MustCompile(`^(\{[^{}]*\}|\[[^\[\]]*\])\s*[^\s#,}\]]`)
)

// syntaxCause is what about a line makes the YAML library say message, or nothing.
func syntaxCause(message, line string) string {
	line = strings.TrimRight(line, " \r")
	value := entry.FindStringSubmatch(line)[1]
	switch {
	case tabbed.MatchString(line):
		return "the line is indented with a tab, and YAML takes spaces only: replace it with spaces"
	case noSpace.MatchString(line):
		return "there is no space behind the colon of a key: write one"
	case strings.Contains(message, "escape character"):
		if strings.Contains(value, `\`) {
			return `a backslash in "…" begins an escape: write '…', or two backslashes`
		}
	case strings.Contains(message, "expected ',' or"):
		if strings.ContainsAny(value, "{[") {
			return "inside { } and [ ] a text with a colon, a comma or a # needs quotes: put it in quotes, or write each key on a line of its own"
		}
	case value == "":
	case strings.Contains("@`%*&!?-", value[:1]) && strings.ContainsAny(value[1:], " "):
		return fmt.Sprintf("a text begins with %s, which means something to YAML", value[:1]) + quoteIt
	case strings.ContainsAny(value[:1], ">|"):
		return "the text behind > or | begins on the next line: move it there, indented"
	case quoted.MatchString(value):
		return "text follows the closing quote" + quoteIt
	case braced.MatchString(value):
		return fmt.Sprintf("a text begins with %s, which opens a list or mapping", value[:1]) + quoteIt
	case strings.Contains(value, ": ") || strings.HasSuffix(value, ":") && value != line:
		return "a text without quotes holds a colon and a space" + quoteIt
	}
	return ""
}
