package records

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// valueOf checks a JSON value and makes it a record's.
func valueOf(text []byte) (json.RawMessage, error) {
	if at := invalidUTF8(text); at >= 0 {
		return nil, notUTF8(text, at)
	}
	if json.Valid(text) {
		return text, nil
	}
	if fixed := withoutNaN(text); fixed != nil && json.Valid(fixed) {
		return fixed, nil
	}
	return nil, notJSON(text)
}

// notJSON says where a text stops being JSON.
func notJSON(text []byte) error {
	var whole json.RawMessage
	err := json.Unmarshal(text, &whole)
	const python = "; this looks like Python: write it with json.dumps"
	hint := ""
	if bytes.HasPrefix(text, []byte("{'")) || bytes.HasPrefix(text, []byte("['")) {
		hint = python
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		for _, word := range []string{"True", "False", "None"} {
			if bytes.HasPrefix(text[max(syntax.Offset-1, 0):], []byte(word)) {
				hint = python
			}
		}
		if hint == "" && json.Valid(text[:max(syntax.Offset-1, 0)]) && bytes.IndexByte([]byte("{[\""), text[syntax.Offset-1]) >= 0 {
			hint = "; where several values are on a line, write one a line: jq -c ."
		}
		return fmt.Errorf("not JSON at byte %d: %w%s", syntax.Offset, err, hint)
	}
	return fmt.Errorf("not JSON: %w%s", err, hint)
}

// withoutNaN replaces NaN and Infinity by null; nil where there is none.
func withoutNaN(text []byte) []byte {
	var out []byte
	done, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		default:
			for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
				if bytes.HasPrefix(text[i:], []byte(word)) {
					out = append(append(out, text[done:i]...), "null"...)
					i += len(word) - 1
					done = i + 1
					break
				}
			}
		}
	}
	if out == nil {
		return nil
	}
	return append(out, text[done:]...)
}

// notUTF8 is the reason of a text that stops being UTF-8 after so many bytes.
func notUTF8(text []byte, at int) error {
	return fmt.Errorf("not valid UTF-8 at byte %d; %s", at+1, convert(text))
}

// convert says how to convert a text to UTF-8. A western one is ASCII for the most part.
func convert(text []byte) string {
	others := 0
	for _, c := range text {
		if c >= utf8.RuneSelf {
			others++
		}
	}
	if others*4 < len(text) {
		return "convert the file, for example with iconv -f WINDOWS-1252 -t UTF-8"
	}
	return "find the file's encoding, such as SHIFT_JIS, GBK or WINDOWS-1251, and convert it with iconv -f ENCODING -t UTF-8"
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

// isTurn reports whether a JSON value is a turn of a conversation.
func isTurn(value []byte) bool {
	var turn map[string]json.RawMessage
	if json.Unmarshal(value, &turn) != nil {
		return false
	}
	for _, keys := range [][2]string{{"role", "content"}, {"from", "value"}} {
		_, who := turn[keys[0]]
		_, what := turn[keys[1]]
		if who && what {
			return true
		}
	}
	return false
}
