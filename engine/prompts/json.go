package prompts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// object parses one JSON object. A key that comes twice is an error, since
// readers differ in which value they take; null values are left out.
func object(b []byte) (map[string]json.RawMessage, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(b, &whole); err != nil {
		return nil, notJSON(err)
	}
	if k := kind(whole); k != "an object" {
		return nil, fmt.Errorf("%s, want a JSON object", k)
	}
	dec := json.NewDecoder(bytes.NewReader(whole))
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	obj := map[string]json.RawMessage{}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		key, _ := t.(string) // an object's keys are strings
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		if seen[key] {
			return nil, fmt.Errorf("key %q comes twice", clip(key))
		}
		seen[key] = true
		if string(v) != "null" {
			obj[key] = v
		}
	}
	return obj, nil
}

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

// keysOf lists the first keys of an object for a message.
func keysOf(obj map[string]json.RawMessage) string {
	const most = 6
	var keys []string
	for key := range obj {
		keys = append(keys, clip(key))
	}
	slices.Sort(keys)
	switch {
	case len(keys) == 0:
		return "none"
	case len(keys) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(keys[:most], ", "), len(keys)-most)
	}
	return strings.Join(keys, ", ")
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

// parseID reads an id, a string or a number as it is written.
func parseID(v json.RawMessage) (string, error) {
	if kind(v) == "a number" {
		return string(v), checkID(string(v))
	}
	s, err := parseString(v)
	if err != nil {
		return "", err
	}
	return s, checkID(s)
}
