package prompts

import (
	"strings"
	"testing"
)

// TestIDColumn: where no record has an id, a column of short words that differ is found; one with an id in its name first.
func TestIDColumn(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		given Mapping
		want  string
	}{
		"words":            {lines: []string{`{"prompt": "a", "key": "x1", "n": 1.5}`, `{"prompt": "b", "key": "x2", "n": 2.5}`}, want: "key"},
		"numbers":          {lines: []string{`{"prompt": "a", "index": 1}`, `{"prompt": "b", "index": 2}`}, want: "index"},
		"an id in a name":  {lines: []string{`{"prompt": "a", "key": "x1", "qID": "y1"}`, `{"prompt": "b", "key": "x2", "qID": "y2"}`}, want: "qID"},
		"repeated":         {lines: []string{`{"prompt": "a", "key": "x"}`, `{"prompt": "b", "key": "x"}`}},
		"missing":          {lines: []string{`{"prompt": "a", "key": "x"}`, `{"prompt": "b"}`, `{"prompt": "c", "key": "y"}`}},
		"sentences":        {lines: []string{`{"prompt": "a", "key": "x y"}`, `{"prompt": "b", "key": "x z"}`}},
		"long":             {lines: []string{`{"prompt": "a", "key": "` + strings.Repeat("x", 65) + `"}`, `{"prompt": "b", "key": "y"}`}},
		"lists":            {lines: []string{`{"prompt": "a", "key": [1]}`, `{"prompt": "b", "key": [2]}`}},
		"an id of its own": {lines: []string{`{"prompt": "a", "key": "x"}`, `{"prompt": "b", "key": "y", "id": "b"}`}},
		"mapped":           {lines: []string{`{"prompt": "a", "key": "x", "n": 1}`, `{"prompt": "b", "key": "y", "n": 2}`}, given: Mapping{"id": "key"}},
		"one record":       {lines: []string{`{"prompt": "a", "key": "x"}`}},
		"no columns":       {lines: []string{`"a"`, `"b"`}},
	} {
		set, err := Read(Paths{"-"}, strings.NewReader(strings.Join(c.lines, "\n")+"\n"), Options{FindID: true, Map: c.given})
		if err != nil || len(set.Bad) > 0 || set.Report.IDColumn != c.want {
			t.Errorf("%s: %q, %v %v, want %q", name, set.Report.IDColumn, set.Bad, err, c.want)
		}
	}
}
