package prompts

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"amend/engine/chat"
)

// FuzzRead: whatever the bytes, every row is valid, bad rows have their place and a reason, and compressing the input changes
// nothing but its hash. What the rows say is in the bytes, as another decoder finds them.
func FuzzRead(f *testing.F) {
	for _, in := range goldenInputs() {
		b, err := os.ReadFile(in)
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(b) { // small seeds: the fuzzer shrinks large ones for minutes
			f.Add(line, false, uint8(0))
			f.Add(append([]byte("{\"prompt\":\"a\"}\n"), line...), true, uint8(3))
		}
	}
	cases, err := filepath.Glob("testdata/cases/*")
	if err != nil || len(cases) == 0 {
		f.Fatalf("no cases: %v", err)
	}
	for _, in := range cases {
		b, err := os.ReadFile(in)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, true, uint8(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, fromResponses bool, limit uint8) {
		o := Options{FromResponses: fromResponses, Limit: int(limit)}
		const longest = 4096
		set, err := read(bytes.NewReader(data), o, longest)
		if err != nil {
			return
		}
		check(t, set)
		if limit > 0 && len(set.Rows) > int(limit) {
			t.Errorf("%d rows, limit %d", len(set.Rows), limit)
		}
		form := set.Report.Files[0].Form
		if strings.HasSuffix(form, ")") || form == "Parquet" {
			return // compressed
		}
		if n := len(set.Rows) + len(set.Bad); strings.HasPrefix(form, "JSONL") && limit == 0 && n != contentLines(data) {
			t.Errorf("%d rows of %d lines", n, contentLines(data))
		}
		checkSource(t, data, set, form)
		for name, text := range map[string][]byte{"gzip": compress(t, data), "zstd": zstdOf(t, data)} {
			packed, err := read(bytes.NewReader(text), o, longest)
			if err != nil || show(packed) != show(set) {
				t.Errorf("%s:\n%v %s\nwant\n%s", name, err, show(packed), show(set))
			}
		}
		checkParquet(t, set)
	})
}

// checkParquet fails unless a set's prompts are read from Parquet as they are from JSONL: every record is a row, or refused with
// a reason.
func checkParquet(t *testing.T, set *Set) {
	t.Helper()
	type record struct {
		ID     string `json:"id" parquet:"id"`
		Prompt string `json:"prompt" parquet:"prompt"`
	}
	var lines, table bytes.Buffer
	enc, w := json.NewEncoder(&lines), parquet.NewGenericWriter[record](&table, parquet.Compression(&parquet.Zstd))
	for _, row := range set.Rows {
		r := record{row.ID, row.Messages[len(row.Messages)-1].Text}
		_, err := w.Write([]record{r})
		if err := errors.Join(err, enc.Encode(r)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if len(set.Rows) == 0 {
		return
	}
	want, err := read(&lines, Options{}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(&table, Options{}, 1<<20)
	if err != nil || show(got) != show(want) || len(got.Rows)+len(got.Bad) != len(set.Rows) {
		t.Errorf("Parquet: %v, %d rows, %d bad of %d:\n%s\nwant\n%s", err, len(got.Rows), len(got.Bad), len(set.Rows), show(got), show(want))
	}
	check(t, got)
}

// zstdOf is a text in zstd.
func zstdOf(t *testing.T, text []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll(text, nil)
}

// contentLines counts the lines that are not blank.
func contentLines(data []byte) (n int) {
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		if len(bytes.TrimSpace(line)) > 0 {
			n++
		}
	}
	return n
}

// quoted finds the texts of JSON in bytes, whatever stands around them.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// checkSource fails unless the texts of rows are in the bytes of the input: each is a text of it, a part of a text that is a
// transcript, or several joined by line breaks or blank lines. What a decoder finds that knows nothing of forms is searched.
func checkSource(t *testing.T, data []byte, set *Set, form string) {
	t.Helper()
	var found []string
	switch {
	case strings.HasPrefix(form, "plain"):
		found = strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n")
	case form == "CSV" || form == "TSV":
		found = cells(data)
	default:
		for _, text := range texts(data) {
			found = append(found, text)
			for _, inner := range texts([]byte(text)) { // a list of turns in a text
				found = append(found, inner)
			}
		}
	}
	all := strings.Join(found, "\x00")
	for _, row := range set.Rows {
		said := append([]chat.Message{}, row.Messages...)
		if row.Response != nil {
			said = append(said, chat.Message{Text: *row.Response})
		}
		for _, m := range said {
			for _, part := range strings.Split(m.Text, "\n") {
				if !strings.Contains(all, strings.TrimSuffix(part, "\r")) {
					t.Errorf("%s: row %s says %q, which the input does not", form, row.ID, part)
				}
			}
		}
	}
}

// texts are the JSON texts in bytes. A quote that none belongs to is skipped with them at every start.
func texts(data []byte) (out []string) {
	for start := 0; start < 2; start++ { // the first quote may belong to no text
		for _, q := range quoted.FindAll(data, -1) {
			var s string
			if json.Unmarshal(q, &s) == nil {
				out = append(out, s)
			}
		}
		i := bytes.IndexByte(data, '"')
		if i < 0 {
			break
		}
		data = data[i+1:]
	}
	return out
}

// cells are the fields of a table, as the standard library and a plain split find them.
func cells(data []byte) (out []string) {
	for _, comma := range ",;\t" {
		r := csv.NewReader(bytes.NewReader(data))
		r.Comma, r.LazyQuotes, r.FieldsPerRecord = comma, true, -1
		for {
			fields, err := r.Read()
			if err == io.EOF {
				break
			}
			out = append(out, fields...)
		}
	}
	return append(out, string(data), strings.ReplaceAll(string(data), `""`, `"`))
}
