package prompts

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// idColumns looks for a column that could be the id of records that have none: one that is not read, with a short word in
// each record that is no other record's. The zero value is ready.
type idColumns struct {
	records int
	own     bool // some record has an id
	names   []string
	values  map[string]map[string]bool // of the columns that could be it still
}

// add looks at a record that has been read.
func (d *idColumns) add(f *fields) {
	d.own = d.own || f.bare || f.read[f.column("id")] || f.read["custom_id"]
	if d.own {
		return
	}
	if d.records++; d.records == 1 {
		d.values = map[string]map[string]bool{}
		for _, name := range f.names {
			if !f.read[name] {
				d.names = append(d.names, name)
				d.values[name] = map[string]bool{}
			}
		}
	}
	for name, before := range d.values {
		word, ok := idWord(f, name)
		if !ok || before[word] {
			delete(d.values, name)
			continue
		}
		before[word] = true
	}
}

// idWord is what a column of a record holds, where that would do as an id.
func idWord(f *fields, name string) (word string, ok bool) {
	const longest = 64 // bytes
	v, ok := f.values[name]
	if !ok || f.read[name] {
		return "", false
	}
	if word = string(v); v[0] == '"' {
		var err error
		if word, err = parseString(v); err != nil {
			return "", false
		}
	}
	if _, err := strconv.ParseFloat(word, 64); err == nil && strings.ContainsAny(word, ".eE") {
		return "", false // a measure
	}
	return word, word != "" && len(word) <= longest && !strings.ContainsFunc(word, unicode.IsSpace) && !strings.ContainsAny(word[:1], "[{") && checkID(word) == nil
}

// name is the column that could be the id, empty where there is none. One whose name ends with id goes before others.
func (d *idColumns) name() string {
	if d.own || d.records < 2 {
		return ""
	}
	left := slices.DeleteFunc(slices.Clone(d.names), func(name string) bool { return d.values[name] == nil })
	if i := slices.IndexFunc(left, func(name string) bool { return strings.HasSuffix(strings.ToLower(name), "id") }); i >= 0 {
		return left[i]
	}
	if len(left) == 0 {
		return ""
	}
	return left[0]
}
