// Package modeltest makes model files for tests.
package modeltest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"amend/models"
)

// Home makes a machine with one vocabulary in AMEND_MODELS, which is also the directory for results. Other caches are empty.
func Home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("AMEND_MODELS", dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	t.Setenv("HOME", dir)
	t.Setenv("OLLAMA_MODELS", filepath.Join(dir, "ollama"))
	t.Setenv("HF_HOME", "")
	t.Setenv("HF_HUB_CACHE", "")
	tokens, types := []string{}, []int32{}
	for i := range 300 {
		tokens, types = append(tokens, fmt.Sprintf("t%d", i)), append(types, 1)
	}
	f, err := os.Create(filepath.Join(dir, "vocab.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := models.NewWriter(f, []models.KV{
		{Key: "general.architecture", Value: "llama"},
		{Key: "tokenizer.ggml.model", Value: "gpt2"},
		{Key: "tokenizer.ggml.tokens", Value: tokens},
		{Key: "tokenizer.ggml.token_type", Value: types},
		{Key: "tokenizer.chat_template", Value: "{{ messages }}"},
	}, nil)
	if err := errors.Join(err, w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}
