package prompts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// refuseWritten refuses a text that is a list or an object which was written into it, as exports of tables do: its signs would
// be taken for what is said. Lists of turns are read, and in JSON an answer may be any other list or object.
func (f *fields) refuseWritten(v json.RawMessage, key string) error {
	if !mayBeWritten(v) {
		return nil
	}
	text, err := parseString(v)
	if err != nil || holdsTurns(text) {
		return nil
	}
	what := writtenIn(text)
	switch {
	case what == "":
		return nil
	case f.cells:
		return fmt.Errorf("%s: %s; write its text alone, or if that is the text, write the rows as JSONL", key, what)
	case hasTurn(text):
		return fmt.Errorf("%s: %s; write the turns themselves, a list of {\"role\", \"content\"}", key, what)
	}
	return nil
}

// refusePrompt refuses a prompt that is a list or an object written into a text, in JSON too: without words it asks nothing.
// A record that is a text is what it is.
func (f *fields) refusePrompt(v json.RawMessage, key string) error {
	if f.bare || !mayBeWritten(v) {
		return nil
	}
	text, err := parseString(v)
	if err != nil || holdsTurns(text) || writtenIn(text) == "" {
		return nil
	}
	return fmt.Errorf("%s: %s; write its text alone, or if that is the text, write JSONL with messages and it as a turn's content", key, writtenIn(text))
}

// mayBeWritten reports whether the first sign of a JSON text may be that of a list or an object. Texts are long, and few are.
func mayBeWritten(v json.RawMessage) bool {
	if len(v) == 0 || v[0] != '"' {
		return false
	}
	for v = v[1:]; len(v) > 0; {
		switch {
		case v[0] == ' ':
			v = v[1:]
		case len(v) > 1 && v[0] == '\\' && strings.IndexByte("nrt", v[1]) >= 0:
			v = v[2:]
		default:
			return v[0] == '[' || v[0] == '{' || v[0] == '\\' || bytes.HasPrefix(v, []byte("array("))
		}
	}
	return false
}

// writtenIn says what stands in a text: a list or an object, all of it; "" for any other text.
func writtenIn(text string) string {
	text = strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "[") && json.Valid([]byte(text)):
		return "a list in a text, in JSON"
	case strings.HasPrefix(text, "{") && json.Valid([]byte(text)):
		return "an object in a text, in JSON"
	case isPythonList(text):
		return "a list in a text, as Python prints it"
	}
	return ""
}

// hasTurn reports whether a text is an object in JSON that is a turn, or holds turns.
func hasTurn(text string) bool {
	f, err := newFields([]byte(strings.TrimSpace(text)))
	return err == nil && (isTurn([]byte(text)) || f.has("messages"))
}

// isPythonList reports whether a text is a list of texts as Python or NumPy print it. Prose after it makes it none.
func isPythonList(text string) bool {
	text = strings.TrimPrefix(text, "array(")
	rest, ok := strings.CutPrefix(text, "[")
	if !ok {
		return false
	}
	for n := 0; ; n++ {
		rest = strings.TrimLeft(rest, " ,\n")
		if after, ok := strings.CutPrefix(rest, "]"); ok {
			after, _, _ = strings.Cut(after, ", dtype=")
			return n > 0 && strings.Trim(after, ") \n") == ""
		}
		if strings.HasPrefix(rest, "{'") {
			return strings.HasSuffix(rest, "]") || strings.HasSuffix(rest, ")")
		}
		if rest = afterQuoted(rest); rest == "" {
			return false
		}
	}
}

// afterQuoted is what comes after the quoted text that a text begins with; "" where none does.
func afterQuoted(text string) string {
	if text == "" || text[0] != '\'' && text[0] != '"' {
		return ""
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[0]:
			return text[i+1:]
		}
	}
	return ""
}
