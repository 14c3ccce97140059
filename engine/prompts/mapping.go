package prompts

import (
	"fmt"
	"slices"
	"strings"
)

// Mapping says which columns hold the fields of a row: a column's name by a field's.
type Mapping map[string]string

// MappedFields are the fields that a Mapping may name.
func MappedFields() []string {
	return []string{"prompt", "response", "system", "chosen", "rejected", "id", "tags", "language", "jurisdiction"}
}

// ParseMapping reads texts of the form FIELD=COLUMN.
func ParseMapping(texts []string) (Mapping, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	m := Mapping{}
	for _, text := range texts {
		field, column, ok := strings.Cut(text, "=")
		switch {
		case !ok || column == "":
			return nil, fmt.Errorf("%q must be FIELD=COLUMN, such as prompt=question", text)
		case !slices.Contains(MappedFields(), field):
			return nil, fmt.Errorf("%q: the field must be one of %s", text, strings.Join(MappedFields(), ", "))
		case m[field] != "":
			return nil, fmt.Errorf("%s is mapped twice, to %s and %s", field, m[field], column)
		}
		m[field] = column
	}
	return m, nil
}

// missing is the reason of a record without a column that a field is mapped to.
func (f *fields) missing(field string) error {
	column := f.column(field)
	if slices.Contains(f.names, column) {
		return fmt.Errorf("%s: null", column)
	}
	return fmt.Errorf("%s: missing; the columns: %s", column, f.list())
}
