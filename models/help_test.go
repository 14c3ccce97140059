package models

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// allocatedBy is the number of bytes that f allocates, in all.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// writeModel writes a GGUF file with zeros as tensor data.
func writeModel(t *testing.T, path string, kvs []KV, tensors []Tensor) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := NewWriter(f, kvs, tensors)
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range w.tensors {
		if _, err := w.Write(make([]byte, tensor.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// vocabulary writes a vocabulary-only file of 300 tokens with a chat template.
func vocabulary(t *testing.T) *Model {
	t.Helper()
	var tokens []string
	var types []int32
	for i := range 300 {
		tokens = append(tokens, fmt.Sprintf("t%d", i))
		types = append(types, 1)
	}
	path := writeModel(t, filepath.Join(t.TempDir(), "vocabulary.gguf"), []KV{
		{"general.architecture", "llama"},
		{"tokenizer.ggml.model", "gpt2"},
		{"tokenizer.ggml.pre", "smollm"},
		{"tokenizer.ggml.tokens", tokens},
		{"tokenizer.ggml.token_type", types},
		{"tokenizer.ggml.eos_token_id", uint32(2)},
		{"tokenizer.chat_template", "{{ messages }}"},
	}, nil)
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
