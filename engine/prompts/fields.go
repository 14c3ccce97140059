package prompts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// fields are the columns of a record.
type fields struct {
	values map[string]json.RawMessage // those that are not null
	names  []string                   // all, in their order
	read   map[string]bool            // those that were looked at for the row
	given  Mapping
	bare   bool // the record is no object, but the one value
	cells  bool // the record is a row of a table of texts
}

// newFields parses a JSON object. A key that comes twice is an error, since readers differ in which value they take.
func newFields(b []byte) (*fields, error) {
	if k := kind(b); k != "an object" {
		return nil, fmt.Errorf("%s, want a JSON object", k)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	f := &fields{values: map[string]json.RawMessage{}, read: map[string]bool{}}
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
		f.names = append(f.names, key)
		if string(v) != "null" {
			f.values[key] = v
		}
	}
	return f, nil
}

// foldCase gives columns of a table the names that are known: people write Question and ID in headers. A name that is known as
// it stands keeps it.
func (f *fields) foldCase(known func(name string) bool) {
	for i, name := range f.names {
		folded := strings.ToLower(name)
		if known(name) || slices.Contains(f.names, folded) || !known(folded) && !slices.Contains(MappedFields(), folded) {
			continue
		}
		f.names[i] = folded
		if v, ok := f.values[name]; ok {
			f.values[folded] = v
			delete(f.values, name)
		}
	}
}

// column is the name of the column that holds a field: its own, or the one that it is mapped to.
func (f *fields) column(field string) string {
	if column, ok := f.given[field]; ok {
		return column
	}
	return field
}

// has reports whether the record has a field.
func (f *fields) has(field string) bool { _, ok := f.values[f.column(field)]; return ok }

// said reports whether the record has a field that says something: a value that is not empty.
func (f *fields) said(field string) bool { return f.has(field) && !unsaid(f.values[f.column(field)]) }

// get returns a field, and notes that it was read.
func (f *fields) get(field string) (v json.RawMessage, ok bool) {
	column := f.column(field)
	if v, ok = f.values[column]; ok {
		f.read[column] = true
	}
	return v, ok
}

// text returns the text of a field that may be missing or empty, or consist of blanks: then it is "".
func (f *fields) text(field string) (string, error) {
	v, ok := f.get(field)
	if !ok || unsaid(v) {
		return "", nil
	}
	s, err := parseString(v)
	if err != nil || strings.TrimSpace(s) == "" {
		return "", named(field, err)
	}
	return s, named(field, checkText(s))
}

// list lists the first columns for a message.
func (f *fields) list() string {
	const most = 6
	var keys []string
	for _, key := range f.names {
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

// unwrapped returns the fields of a record that stands in another object: a row of the Hugging Face viewer, or the fields of an
// Argilla record.
func (f *fields) unwrapped() (*fields, error) {
	for _, w := range []struct{ inner, beside string }{{"row", "row_idx"}, {"fields", "metadata"}, {"fields", "responses"}} {
		if !slices.Contains(f.names, w.beside) || kind(f.values[w.inner]) != "an object" {
			continue
		}
		if v := f.values["truncated_cells"]; len(v) > 0 && string(v) != "[]" {
			return nil, fmt.Errorf("truncated_cells: texts of this row were cut off by the viewer; download the files of the data set")
		}
		in, err := newFields(f.values[w.inner])
		if err != nil {
			return nil, named(w.inner, err)
		}
		for _, name := range f.names {
			if name != w.inner && !slices.Contains(in.names, name) {
				in.names = append(in.names, name)
				if v, ok := f.values[name]; ok {
					in.values[name] = v
				}
			}
		}
		in.given = f.given
		return in, nil
	}
	return f, nil
}

// named names the field that an error is about.
func named(field string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", field, err)
}

// unsaid reports whether a value is one that stands in a column of a row which says nothing there.
func unsaid(v json.RawMessage) bool {
	switch string(v) {
	case "null", `""`, "[]", "{}", `"[]"`:
		return true
	}
	return false
}
