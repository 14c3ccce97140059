package prompts

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"amend/engine/chat"
)

// Texts is all that an input says, for whoever looks for it elsewhere.
type Texts struct {
	// Prompts are the conversations of the records that have one, without the answer at their end.
	Prompts [][]chat.Message
	// Texts are those of all columns, read or not: prompts, answers, references.
	Texts   []string
	Records int      // that were read
	Bad     []BadRow // that were not
	SHA256  string   // as Set's
}

// ReadTexts reads whatever Read and ReadPairs read, and records that are neither a prompt nor a pair too: a question with
// choices, an answer alone.
func ReadTexts(paths Paths, stdin io.Reader) (*Texts, error) {
	out := &Texts{}
	c := collector{full: func() bool { return false }, take: func(f *fields, _ place) error {
		out.take(f)
		return nil
	}}
	sha, err := c.read(paths, stdin)
	if err != nil {
		return nil, fmt.Errorf("read texts from %w", err)
	}
	out.Bad, out.SHA256 = c.bad, sha
	return out, nil
}

func (t *Texts) take(f *fields) {
	t.Records++
	if row, err := parseRow(f, true); err == nil {
		t.Prompts = append(t.Prompts, row.Messages)
	}
	for _, name := range slices.Sorted(maps.Keys(f.values)) {
		var v any
		if json.Unmarshal(f.values[name], &v) == nil {
			t.collect(v)
		}
	}
}

// collect takes the texts in a JSON value.
func (t *Texts) collect(v any) {
	switch v := v.(type) {
	case string:
		t.Texts = append(t.Texts, v)
	case []any:
		for _, item := range v {
			t.collect(item)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			t.collect(v[key])
		}
	}
}
