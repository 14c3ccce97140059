package prompts

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// errShapeless is the reason of a record without a conversation.
var errShapeless = errors.New("no column that is known to hold a prompt")

// shapeless says that a record has no prompt, and what to do.
func (f *fields) shapeless() error {
	for _, s := range shapes() {
		switch key := s.keys[0]; {
		case string(f.values[key]) == "[]":
			return fmt.Errorf("%s: an empty list", key)
		case slices.Contains(f.names, key) && f.values[key] == nil:
			return fmt.Errorf("%s: empty", key)
		}
	}
	if err := f.nested(); err != nil {
		return err
	}
	if f.has("role") && (f.has("text") || f.has("content")) {
		return fmt.Errorf("%w: a turn a row is not read; write a conversation a row, its turns as messages; the columns: %s", errShapeless, f.list())
	}
	column := "COLUMN"
	for _, name := range f.names {
		if slices.ContainsFunc(shapes(), func(s shape) bool { return s.keys[0] == strings.ToLower(name) }) {
			column = name
			break
		}
	}
	return fmt.Errorf("%w; name it with --map prompt=%s; the columns: %s%s", errShapeless, clip(column), f.list(), f.headed())
}

// headed says of a table where the names of its columns come from.
func (f *fields) headed() string {
	if f.cells {
		return "; the first line was taken for the header"
	}
	return ""
}

// nested refuses a record that holds rows: one in a column, or one in each.
func (f *fields) nested() error {
	var rows []string
	for _, key := range f.names {
		if in, err := newFields(f.values[key]); err == nil && slices.ContainsFunc(in.names, isColumn) {
			rows = append(rows, key)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	first := rows[0]
	if len(rows) > 1 || strings.IndexFunc(first, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) }) >= 0 {
		return fmt.Errorf("%s: a row in a row; write rows as a list, or one a line: jq -c '.[]'", clip(first))
	}
	return fmt.Errorf("%s: a row in a row; write it alone: jq -c .%s, where the file is a list jq -c '.[].%s'", clip(first), clip(first), clip(first))
}

// refuseColumns refuses a record that is a table, its columns lists or objects by number, as pandas writes.
func (f *fields) refuseColumns() error {
	if len(f.values) == 0 || !slices.ContainsFunc(f.names, isColumn) {
		return nil
	}
	for _, v := range f.values {
		if k := kind(v); k != "an object" && k != "a list" {
			return nil
		}
	}
	for name, v := range f.values {
		switch {
		case name == "turns", name == "data", name == "conversations": // they may be texts
			return nil
		case !isNumbered(v) && (len(f.values) == 1 || !isListOfScalars(v)):
			return nil
		}
	}
	return errors.New("a table of columns, not a row; write a row a record: in pandas orient='records', lines=True")
}

// isNumbered reports whether a value is an object whose keys are numbers.
func isNumbered(v json.RawMessage) bool {
	in, err := newFields(v)
	return err == nil && len(in.names) > 0 && !slices.ContainsFunc(in.names, func(key string) bool {
		return strings.TrimFunc(key, unicode.IsDigit) != ""
	})
}

// isListOfScalars reports whether a list begins with a text, a number or the like.
func isListOfScalars(v json.RawMessage) bool {
	list, err := items(v)
	return err == nil && len(list) > 0 && kind(list[0]) != "an object" && kind(list[0]) != "a list"
}
