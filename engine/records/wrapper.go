package records

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// wrappers are the keys under which an object may hold a list of rows.
func wrappers() []string {
	return []string{"data", "rows", "train", "test", "validation", "dev", "val", "valid", "eval", "evaluation", "harmful", "harmless", "examples", "instances", "records", "items", "prompts", "questions", "results", "dataset", "samples", "pairs", "entries"}
}

func isWrapper(key string) bool { return slices.Contains(wrappers(), key) }

// describes reports whether a list of objects under a key is about the rows and holds none.
func describes(key string) bool {
	switch key {
	case "features", "columns", "fields", "schema", "licenses", "metadata":
		return true
	}
	return false
}

// errSplit is the error of a table that pandas has written in parts.
var errSplit = errors.New("this is a table in parts, columns and data, as pandas writes with orient='split'; write it with orient='records', lines=True")

// wrapperKey returns the key under which an object holds a list of rows, "" where it holds none. The object may be only its
// beginning. An object with a column of a row is a row.
func wrapperKey(object []byte, column func(string) bool) (key string, err error) {
	d := items{scanner: scanner{r: bufio.NewReader(bytes.NewReader(object)), line: 1, max: 4 << 10}} // for keys
	if _, err := d.peek(); err != nil {
		return "", nil
	}
	if c, _ := d.read(); c != '{' {
		return "", nil
	}
	columns, system := false, ""
	for {
		name, err := d.member()
		if err != nil {
			return key, besideRows(system, key) // the object is cut off, or has no more members
		}
		switch first, _ := d.peek(); {
		case name == "system" || name == "system_prompt":
			system = name
		case column(name):
			return "", nil
		case name == "columns" && first == '[':
			columns = true
		case key == "" && isWrapper(name) && first == '[':
			if d.rows(name) {
				key = name
			} else if columns {
				return "", errSplit
			}
		}
		if _, err := d.value(); err != nil {
			return key, besideRows(system, key)
		}
		if c, _ := d.peek(); c != ',' {
			return key, besideRows(system, key)
		}
		_, _ = d.read()
	}
}

// besideRows refuses a system message beside a list of rows: it would be left out.
func besideRows(system, key string) error {
	if system == "" || key == "" {
		return nil
	}
	return fmt.Errorf("%s stands beside the list %q; write it into each row: jq -c '.%s as $s | .%s[] | (if type == \"string\" then {prompt: .} else . end) + {system: $s}'", system, key, system, key)
}

// opens returns the first byte of content of the list that comes next; 0 where none is near, or no list comes.
func (d *items) opens() byte {
	if c, err := d.peek(); err != nil || c != '[' {
		return 0
	}
	head, _ := d.r.Peek(1 << 10)
	rest := bytes.TrimLeft(head[min(1, len(head)):], " \t\r\n")
	if len(rest) == 0 {
		return 0
	}
	return rest[0]
}

// rows reports whether the list that comes next holds rows: objects, and under a name of prompts texts too. A list of texts
// under another name may be the turns of a conversation.
func (d *items) rows(key string) bool {
	first := d.opens()
	return first == '{' || first == '"' && (key == "prompts" || key == "questions")
}
