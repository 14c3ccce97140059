package records

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// TestParquet reads the types that data sets have, from a file and through a pipe.
func TestParquet(t *testing.T) {
	type turn struct {
		Role    string `parquet:"role"`
		Content string `parquet:"content"`
	}
	type row struct {
		Messages []turn   `parquet:"messages,list"`
		Prompt   *string  `parquet:"prompt,optional"`
		Score    float64  `parquet:"score"`
		Tags     []string `parquet:"tags,list"`
		N        int64    `parquet:"n"`
		Image    []byte   `parquet:"image"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	prompt, zero := "Why?", 0.0
	w.Write([]row{
		{Messages: []turn{{"user", "Hi\n\"you\""}}, Score: zero / zero, Tags: []string{"a", "b"}, N: 1 << 60, Image: []byte{0xff}},
		{Prompt: &prompt, Score: 0.5},
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := `Parquet: 1 {"image":{"bytes that are no text":1},"messages":[{"content":"Hi\n\"you\"","role":"user"}],"n":1152921504606846976,"prompt":null,"score":null,"tags":["a","b"]}` +
		` 2 {"image":"","messages":[],"n":0,"prompt":"Why?","score":0.5,"tags":[]}`
	if got, err := read("-", b.String(), 0); err != nil || got != want {
		t.Errorf("through a pipe:\n%s, %v\nwant\n%s", got, err, want)
	}
	path := filepath.Join(t.TempDir(), "a.parquet")
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := Open(path, f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if rec, err := r.Next(); err != nil || rec.Line != 1 || rec.Err != nil {
		t.Errorf("a file: %+v, %v", rec, err)
	}
	for cut := 5; cut < b.Len(); cut += 7 { // no panic, and no row that is not there
		if got, err := read("a.parquet", b.String()[:cut], 0); err == nil {
			t.Errorf("%d bytes of %d are read: %s", cut, b.Len(), got)
		}
	}
}

// TestParquetCodecs: columns in LZ4 are refused by name, the others are read.
func TestParquetCodecs(t *testing.T) {
	for _, c := range []struct {
		codec compress.Codec
		want  string
	}{{&parquet.Lz4Raw, "compressed with LZ4 inside"}, {&parquet.Zstd, ""}, {&parquet.Snappy, ""}, {&parquet.Gzip, ""}, {&parquet.Brotli, ""}} {
		var b bytes.Buffer
		w := parquet.NewGenericWriter[struct {
			Prompt string `parquet:"prompt"`
		}](&b, parquet.Compression(c.codec))
		w.Write([]struct {
			Prompt string `parquet:"prompt"`
		}{{"Why?"}})
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := read("a.parquet", b.String(), 0)
		if c.want == "" && (err != nil || got != `Parquet: 1 {"prompt":"Why?"}`) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %s, %v", c.codec, got, err)
		}
	}
}
