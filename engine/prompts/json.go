package prompts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// kind names the type of a JSON value.
func kind(v json.RawMessage) string {
	switch v = bytes.TrimSpace(v); {
	case len(v) == 0:
		return "nothing"
	case v[0] == '{':
		return "an object"
	case v[0] == '[':
		return "a list"
	case v[0] == '"':
		return "a text"
	case v[0] == 't', v[0] == 'f':
		return "a boolean"
	case v[0] == 'n':
		return "null"
	}
	return "a number"
}

// notJSON says where a line stops being JSON.
func notJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("not JSON at byte %d: %w", syntax.Offset, err)
	}
	return fmt.Errorf("not JSON: %w", err)
}

// parseString reads a JSON string, and refuses what encoding/json would
// silently replace: half of a surrogate pair.
func parseString(v json.RawMessage) (string, error) {
	if k := kind(v); k != "a text" {
		return "", fmt.Errorf("%s, want a text", k)
	}
	if esc := loneSurrogate(v); esc != "" {
		return "", fmt.Errorf(`holds %s, half of a surrogate pair, which is no character`, esc)
	}
	var s string
	if err := json.Unmarshal(v, &s); err != nil {
		return "", notJSON(err)
	}
	return s, nil
}

// loneSurrogate returns the first escape in a JSON string that is half of a
// surrogate pair, or "".
func loneSurrogate(v []byte) string {
	for {
		i := bytes.IndexByte(v, '\\')
		if i < 0 || i+1 >= len(v) {
			return ""
		}
		esc := v[i:]
		high := escaped(esc)
		switch {
		case high < 0:
			v = esc[2:]
		case !utf16.IsSurrogate(high):
			v = esc[6:]
		case utf16.DecodeRune(high, escaped(esc[6:])) == '\uFFFD':
			return string(esc[:6])
		default:
			v = esc[12:]
		}
	}
}

// escaped returns the code unit of the \uXXXX that b begins with, −1 when it
// does not.
func escaped(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}

// parseText reads the text of a turn.
func parseText(v json.RawMessage) (string, error) {
	s, err := parseString(v)
	if err != nil {
		return "", err
	}
	return s, checkText(s)
}

// checkText refuses the texts that no turn may be.
func checkText(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("empty")
	}
	if i := strings.IndexByte(s, 0); i >= 0 {
		return fmt.Errorf("holds a NUL character at byte %d", i+1)
	}
	return nil
}

// items returns the items of a JSON list.
func items(v json.RawMessage) (list []json.RawMessage, err error) {
	if k := kind(v); k != "a list" {
		return nil, fmt.Errorf("%s, want a list", k)
	}
	if err := json.Unmarshal(v, &list); err != nil {
		return nil, notJSON(err)
	}
	return list, nil
}

// parseID reads an id, a string or a number as it is written.
func parseID(v json.RawMessage) (string, error) {
	if kind(v) == "a number" {
		return string(v), checkID(string(v))
	}
	if k := kind(v); k != "a text" {
		return "", fmt.Errorf("%s, want a text or a number; write one, or rename the column", k)
	}
	s, err := parseString(v)
	if err != nil {
		return "", err
	}
	return s, checkID(s)
}
