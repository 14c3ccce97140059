package records

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// endless repeats a byte for ever.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

// TestBounded: a record of 16 MiB costs no more memory than the longest that is read, in every form.
func TestBounded(t *testing.T) {
	const size, longest = 16 << 20, 1 << 18
	for _, c := range []struct{ name, begin, end string }{
		{"a.jsonl", `{"prompt":"`, "\"}\n{\"prompt\":1}"},
		{"a.json", `[{"prompt":"`, `"},{"prompt":1}]`},
		{"b.json", "{\n\"prompt\":\"", "\"}\n{\"prompt\":1}"},
		{"c.json", `{"version":"`, `","data":[{"prompt":1}]}`},
		{"d.json", `{"data":[{"prompt":1}], "more": "`, `"}`},
		{"a.csv", `prompt,n` + "\n\"", "\",1\nb,1\n"},
		{"b.csv", `prompt,n` + "\n\"", ""},
		{"a.txt", "x", "\nb"},
	} {
		in := io.MultiReader(strings.NewReader(c.begin), io.LimitReader(endless('x'), size), strings.NewReader(c.end))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := Open(c.name, in, Options{Max: longest, Column: column})
		good, bad := 0, 0
		for err == nil {
			var rec Record
			if rec, err = r.Next(); err == nil && rec.Err == nil {
				good++
			} else if err == nil {
				bad++
			}
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 32*longest {
			t.Errorf("%s: allocated %d MiB in all", c.name, used>>20)
		}
		if bad == 0 && errors.Is(err, io.EOF) && c.name != "d.json" || good+bad == 0 && err == nil {
			t.Errorf("%s: %d records, %d bad, %v", c.name, good, bad, err)
		}
	}
}

// TestDamagedParquet: whatever is wrong with the bytes, reading ends, and holds no more than the file explains.
func TestDamagedParquet(t *testing.T) {
	type row struct {
		Prompt string   `parquet:"prompt,dict"`
		Tags   []string `parquet:"tags,list"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	for range 100 {
		w.Write([]row{{"Why?", []string{"a", "b"}}, {"How?", nil}})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const times = 500
	for range times {
		damaged := slices.Clone(b.Bytes())
		for range 1 + rnd.IntN(3) {
			damaged[rnd.IntN(len(damaged))] = byte(rnd.IntN(256))
		}
		read("-", string(damaged), 0)
	}
	runtime.ReadMemStats(&after)
	if used := (after.TotalAlloc - before.TotalAlloc) / times; used > 32<<20 {
		t.Errorf("allocated %d MiB for each of %d bytes", used>>20, b.Len())
	}
	huge := append(slices.Clone(b.Bytes()[:b.Len()-8]), "\xff\xff\xff\x7fPAR1"...)
	if got, err := read("-", string(huge), 0); err == nil || !strings.Contains(err.Error(), "a footer of") {
		t.Errorf("a footer of 2 GiB: %s, %v", got, err)
	}
}

// TestSameInEveryForm: the same rows are read from JSONL, a list, a list in an object, objects over several lines, CSV and TSV.
func TestSameInEveryForm(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"a, b", "\"q\"", "line\nline", "cr\r\nlf", "{", "[", "NaN", "tab\tbed", "é😀", "\\"}))
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.MapOf(rapid.SampledFrom([]string{"n", "x"}), text), 1, 5).Draw(t, "rows")
		for _, row := range rows {
			row["prompt"] = "p" + text.Draw(t, "prompt")
		}
		for name, input := range written(t, rows) {
			r, err := Open(name, strings.NewReader(input), Options{Column: column})
			if err != nil {
				t.Fatalf("%s %q: %v", name, input, err)
			}
			for _, want := range rows {
				rec, err := r.Next()
				if err != nil || rec.Err != nil {
					t.Fatalf("%s %q: %v, %v", name, input, err, rec.Err)
				}
				got := map[string]*string{}
				if err := json.Unmarshal(rec.Value, &got); err != nil {
					t.Fatal(err)
				}
				for _, key := range []string{"prompt", "n", "x"} {
					if value := got[key]; value == nil && want[key] != "" || value != nil && *value != want[key] {
						t.Fatalf("%s %q: %s is %v, want %q", name, input, key, value, want[key])
					}
				}
			}
			if _, err := r.Next(); !errors.Is(err, io.EOF) {
				t.Fatalf("%s %q: %v at the end", name, input, err)
			}
		}
	})
}

// written writes rows in each form.
func written(t *rapid.T, rows []map[string]string) map[string]string {
	marshal := func(v any, indent string) string {
		out, err := json.MarshalIndent(v, "", indent)
		if indent == "" {
			out, err = json.Marshal(v)
		}
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	var lines, pretty strings.Builder
	tables := map[string]*strings.Builder{",": {}, "\t": {}}
	for comma, table := range tables {
		table.WriteString("n" + comma + "prompt" + comma + "x\r\n")
	}
	for _, row := range rows {
		lines.WriteString(marshal(row, "") + "\n")
		pretty.WriteString(marshal(row, "  ") + "\n")
		for comma, table := range tables {
			for i, key := range []string{"n", "prompt", "x"} {
				table.WriteString([]string{"", comma, comma}[i] + `"` + strings.ReplaceAll(row[key], `"`, `""`) + `"`)
			}
			table.WriteString("\r\n")
		}
	}
	return map[string]string{
		"a.jsonl": lines.String(), "a.json": marshal(rows, ""), "b.json": marshal(rows, " "), "c.json": pretty.String(),
		"d.json": marshal(map[string]any{"rows": rows, "a": 1}, " "), "e.json": marshal(map[string]any{"train": rows, "version": "1"}, ""),
		"a.csv": tables[","].String(), "a.tsv": tables["\t"].String(),
	}
}
