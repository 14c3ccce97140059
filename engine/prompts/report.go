package prompts

import (
	"fmt"
	"slices"
	"strings"
)

// Report says how inputs were read.
type Report struct {
	Files []FileReport `json:"files"`
	// Skipped are files of a folder that are no data by their names, and the folders in it.
	Skipped []string `json:"skipped"`
	// Answered are rows that start from a response in the input.
	Answered int `json:"answered"`
	// Marked are rows with a text that holds marks of turns, such as <|im_start|>, which are taken as text.
	Marked int `json:"marked"`
	// IDColumn could be mapped to id: no record has an id, and this column holds a short word in each that is no other
	// record's. It is looked for with Options.FindID.
	IDColumn string `json:"id_column,omitempty"`
}

// FileReport says how a file was read.
type FileReport struct {
	File string `json:"file"`
	Form string `json:"form"` // such as "JSONL (gzip)"
	// Columns were read, in some record. Ignored hold something and were not.
	Columns []string `json:"columns"`
	Ignored []string `json:"ignored"`
	// Read are the records that became rows or pairs, Bad the others.
	Read int `json:"read"`
	Bad  int `json:"bad"`
}

// String is how the files were read in one line, such as "p.jsonl: JSONL with prompt; ignored: source, score". Files that are
// read alike are named together.
func (r Report) String() string {
	var parts []string
	said := map[string]bool{}
	for _, f := range r.Files {
		how := f.how()
		if said[how] {
			continue
		}
		said[how] = true
		var alike []string
		for _, other := range r.Files {
			if other.how() == how {
				alike = append(alike, other.File)
			}
		}
		parts = append(parts, several(alike, 3)+": "+how)
	}
	if len(r.Skipped) > 0 {
		parts = append(parts, "not read: "+several(r.Skipped, 6))
	}
	if r.Answered > 0 {
		parts = append(parts, fmt.Sprintf("rows that start from a response in the input: %d", r.Answered))
	}
	if r.Marked > 0 {
		parts = append(parts, fmt.Sprintf("rows that hold marks of turns, such as %s, as text: %d", markup()[0], r.Marked))
	}
	return strings.Join(parts, "; ")
}

// how says how a file was read.
func (f FileReport) how() string {
	text := f.Form
	if len(f.Columns) > 0 {
		text += " with " + shorten(f.Columns, 12)
	}
	if len(f.Ignored) > 0 {
		text += "; ignored: " + shorten(f.Ignored, 12)
	}
	return text
}

// shorten lists the first columns, each cut to a length.
func shorten(names []string, most int) string {
	var out []string
	for _, n := range names {
		out = append(out, clip(n))
	}
	return several(out, most)
}

// several lists the first names.
func several(names []string, most int) string {
	text := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// tally counts what happens to the columns of a file.
type tally struct {
	names []string        // in the order in which they come first
	seen  map[string]bool // whether a column was read
}

// maxColumns is how many columns are told apart: a file may have another one in each row.
const maxColumns = 1000

// ignore notes what stands within a column and is not read.
func (t *tally) ignore(name string) {
	if !slices.Contains(t.names, name) {
		t.names = append(t.names, name)
	}
}

// add notes the columns of a record that hold something. Of one that is refused none was ignored.
func (t *tally) add(f *fields, good bool) {
	if t.seen == nil {
		t.seen = map[string]bool{}
	}
	for _, name := range f.names {
		if _, ok := f.values[name]; !ok || !good && !f.read[name] {
			continue
		}
		if _, known := t.seen[name]; !known {
			if len(t.names) == maxColumns {
				continue
			}
			t.names = append(t.names, name)
		}
		t.seen[name] = t.seen[name] || f.read[name]
	}
}

// columns are those that were read, and those that were not, in the order of the records.
func (t *tally) columns() (read, ignored []string) {
	read, ignored = []string{}, []string{}
	for _, name := range t.names {
		if t.seen[name] {
			read = append(read, name)
		} else {
			ignored = append(ignored, name)
		}
	}
	return read, ignored
}
