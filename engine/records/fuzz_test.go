package records

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// longest is the longest record that fuzzing reads, in bytes.
const longest = 4096

// bzipped is a row in bzip2, for which Go has no encoder.
func bzipped(t testing.TB) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWQozKg8AAAXZgAAQEAAgEAAC1AogADEA000FMA2oIutHR5HC7kinChIBRmVB4A==")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

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
	f.Add(bzipped(f), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, name uint8) {
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

// FuzzPacked: whatever the bytes, compressed they are read as they are without, or refused as they are.
func FuzzPacked(f *testing.F) {
	pack := packers(f)
	ways := []string{"gzip", "zstd", "xz", "zip with data/b.jsonl"}
	for way := range ways {
		for _, text := range []string{"{\"prompt\":1}\n{", "[{\"prompt\":1},\n2]", "{\"data\": [{\"prompt\":\"a\"}]}", "\"a\"\n", "", "\ufeff{\"prompt\":1}", "PAR1", "PK\x03\x04"} {
			f.Add([]byte(text), uint8(way), uint8(way+1))
			f.Add([]byte(text), uint8(way), uint8(len(ways)))
		}
		f.Add(bzipped(f), uint8(way), uint8(len(ways)))
	}
	f.Fuzz(func(t *testing.T, data []byte, outer, inner uint8) {
		packed := string(data)
		if int(inner) < len(ways) {
			packed = pack[ways[inner]](packed)
		}
		packed = pack[ways[int(outer)%len(ways)]](packed)
		want, wrong := body("a.jsonl", string(data))
		got, err := body("a.jsonl", packed)
		if (err == nil) != (wrong == nil) || got != want {
			t.Errorf("%q, %v, want %q, %v", got, err, want, wrong)
		}
	})
}

// body is what an input holds, without its form.
func body(name, text string) (string, error) {
	r, err := Open(name, strings.NewReader(text), Options{Max: longest, Column: column})
	if err != nil {
		return "", err
	}
	form := r.Form()
	if err := r.Close(); err != nil {
		return "", err
	}
	all, err := read(name, text, longest)
	return strings.TrimPrefix(all, form), err
}

// FuzzParquet: rows of any texts are all there again, and of a file with a damaged byte reading ends, within bounds.
func FuzzParquet(f *testing.F) {
	type row struct {
		Prompt string   `parquet:"prompt,dict"`
		Note   *string  `parquet:"note,optional"`
		Tags   []string `parquet:"tags,list"`
	}
	codecs := []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Zstd, &parquet.Gzip, &parquet.Brotli}
	for i := range codecs {
		f.Add([]byte("Why?\nHow?\n\xff\n"), uint8(i), uint32(40*i), byte(0xff))
		f.Add([]byte(strings.Repeat("Why?\n", 50)), uint8(i), uint32(1<<20+i), byte(0x7f))
	}
	f.Fuzz(func(t *testing.T, data []byte, codec uint8, at uint32, value byte) {
		var b bytes.Buffer
		w := parquet.NewGenericWriter[row](&b, parquet.Compression(codecs[int(codec)%len(codecs)]))
		texts := strings.Split(string(data), "\n")
		for i, text := range texts {
			r := row{Prompt: text, Tags: texts[:i%3%len(texts)]}
			if i%2 == 1 {
				r.Note = &text
			}
			if _, err := w.Write([]row{r}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got := promptsOf(t, b.Bytes())
		for i, text := range texts {
			if i >= len(got) || utf8.ValidString(text) && got[i] != text {
				t.Fatalf("%d rows, of %d; row %d is to be %q: %q", len(got), len(texts), i, text, got)
			}
		}
		damaged := b.Bytes()
		damaged[int(at)%len(damaged)] = value
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		promptsOf(nil, damaged)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 2*maxFooter {
			t.Errorf("allocated %d MiB for %d bytes with a damaged one", used>>20, len(damaged))
		}
	})
}

// promptsOf are the prompts of a Parquet file; one that is no text is "". Where t is nil the file may be damaged.
func promptsOf(t *testing.T, file []byte) (out []string) {
	r, err := Open("a.parquet", bytes.NewReader(file), Options{Max: longest, Column: column})
	for err == nil {
		var rec Record
		if rec, err = r.Next(); err != nil {
			break
		}
		var row struct{ Prompt any }
		if rec.Err == nil {
			rec.Err = json.Unmarshal(rec.Value, &row)
		}
		if rec.Err != nil && t != nil {
			t.Fatalf("row %d: %v", rec.Line, rec.Err)
		}
		text, _ := row.Prompt.(string)
		out = append(out, text)
	}
	if r != nil {
		err = errors.Join(err, r.Close())
	}
	if t != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return out
}
