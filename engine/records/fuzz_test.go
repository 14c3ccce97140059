package records

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzOpen: whatever the bytes and the name, reading ends, lines do not go back, and values are JSON in UTF-8 of bounded length.
func FuzzOpen(f *testing.F) {
	names := []string{"-", "a", "a.txt", "a.json", "a.jsonl", "a.csv", "a.tsv", "a.parquet", "a.zip"}
	cases, err := filepath.Glob("../prompts/testdata/cases/*")
	if err != nil || len(cases) == 0 {
		f.Fatalf("no cases: %v", err)
	}
	for i, path := range cases {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint8(i))
	}
	for i, text := range []string{
		"{\"data\": [{\"a\": [1, {}]}], \"b\": null}", "[[{\"role\":1,\"content\":2}],]", "\"a\"\n\"b\"", "prompt;n\r\n\"a\"\"b\r\n\";1\n", "{\n\"prompt\": NaN\n}\n{}",
	} {
		for name := range names {
			f.Add([]byte(text), uint8(i+name))
		}
	}
	for _, pack := range packers(f) {
		f.Add([]byte(pack("{\"prompt\":1}\n")), uint8(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, name uint8) {
		const longest = 4096
		r, err := Open(names[int(name)%len(names)], strings.NewReader(string(data)), Options{Max: longest, Column: column})
		if err != nil {
			return
		}
		defer r.Close()
		for line := 0; ; {
			rec, err := r.Next()
			if err != nil {
				return
			}
			if rec.Line < line && !strings.Contains(r.Form(), "zip") {
				t.Errorf("line %d after line %d", rec.Line, line)
			}
			line = rec.Line
			if rec.Err != nil {
				continue
			}
			if !json.Valid(rec.Value) || !utf8.Valid(rec.Value) || len(rec.Value) > 16*longest && r.form != parquetRow {
				t.Errorf("%s, line %d: %q", r.Form(), rec.Line, rec.Value)
			}
		}
	})
}
