package records

import (
	"path/filepath"
	"slices"
	"strings"
)

// name is what an input's name says of its content.
type name struct {
	stdin     bool
	extension string // in lower case, without that of a compression
}

func newName(path string) name {
	if path == "-" {
		return name{stdin: true}
	}
	base := strings.ToLower(filepath.Base(path))
	ext := filepath.Ext(base)
	for _, c := range compressions {
		if slices.Contains(c.extensions, ext) {
			ext = filepath.Ext(strings.TrimSuffix(base, ext))
			break
		}
	}
	return name{extension: ext}
}

// plain reports whether plain text may have the name.
func (n name) plain() bool { return n.stdin || n.extension == "" || n.extension == ".txt" }

// json reports whether the name is one of JSON.
func (n name) json() bool {
	switch n.extension {
	case ".json", ".jsonl", ".ndjson", ".jsonlines":
		return true
	}
	return false
}

// table reports whether the name is one of CSV or TSV.
func (n name) table() bool { return n.extension == ".csv" || n.tabs() }

// tabs reports whether the name is one of TSV.
func (n name) tabs() bool { return n.extension == ".tsv" || n.extension == ".tab" }

// isData reports whether a file in a folder is taken for data by its name.
func isData(path string) bool {
	n := newName(path)
	return n.json() || n.table() || n.extension == ".txt" || n.extension == ".parquet" || strings.HasSuffix(strings.ToLower(path), ".zip")
}
