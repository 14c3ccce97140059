package llama_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"log/slog"

	"amend/engine/llama"
	"amend/models"
)

const vocabDir = "../../third_party/llama.cpp/models"

// vocabFiles is llama.cpp's vocabulary-only models.
func vocabFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(vocabDir, "ggml-vocab-*.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no vocabularies in %s: run make test, which fetches llama.cpp's source", vocabDir)
	}
	return files
}

// openVocab loads a vocabulary until the test ends.
func openVocab(t testing.TB, file string) *llama.Vocab {
	t.Helper()
	m, err := llama.LoadModel(context.Background(), file, llama.ModelParams{VocabOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, m) })
	return m.Vocab()
}

func vocabName(file string) string {
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "ggml-vocab-"), ".gguf")
}

// smolFile is the real model the tests run.
func smolFile(t testing.TB) string {
	t.Helper()
	file, err := models.CachesFrom(os.Getenv).Resolve("smollm2")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func openSmol(t testing.TB) *llama.Model {
	t.Helper()
	return openModel(t, smolFile(t))
}

// tinyFile writes a llama model of two layers with random weights and GPT-2's
// vocabulary: for tests of what a context does whatever the model says.
func tinyFile(t testing.TB, quant string) string {
	t.Helper()
	tokenizer, err := models.Open(filepath.Join(vocabDir, "ggml-vocab-gpt-2.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	shape, err := models.ParseShape("2,64,128,2,1") // heads of 32 numbers, as keys in q8_0 need
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tiny.gguf")
	if _, err := models.Synth(t.Context(), file, models.Spec{Shape: shape, Quant: quant, Seed: 1, Tokenizer: tokenizer}, false, nil); err != nil {
		t.Fatal(err)
	}
	return file
}

func openTiny(t testing.TB) *llama.Model {
	t.Helper()
	return openModel(t, tinyFile(t, "F16"))
}

func openModel(t testing.TB, file string) *llama.Model {
	t.Helper()
	m, err := llama.LoadModel(t.Context(), file, llama.ModelParams{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, m) })
	return m
}

// openAs opens a model file with weights of another type.
func openAs(t testing.TB, file string, weights llama.FileType) *llama.Model {
	t.Helper()
	other := filepath.Join(t.TempDir(), "other.gguf")
	if err := llama.Quantize(file, other, llama.QuantizeParams{FileType: weights, AllowRequantize: true}); err != nil {
		t.Fatal(err)
	}
	return openModel(t, other)
}

// openContext makes a context that is closed before its model.
func openContext(t testing.TB, m *llama.Model, p llama.ContextParams) *llama.Context {
	t.Helper()
	if p.Threads == 0 {
		p.Threads, p.ThreadsBatch = 2, 2
	}
	c, err := m.NewContext(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, c) })
	return c
}

func newBatch(t testing.TB, tokens, seqs int) *llama.Batch {
	t.Helper()
	b, err := llama.NewBatch(tokens, seqs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, b) })
	return b
}

func mustClose(t testing.TB, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func tokenize(t testing.TB, m *llama.Model, text string) []llama.Token {
	t.Helper()
	tokens, err := m.Vocab().Tokenize(text, false, false)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// decode computes tokens of one sequence from position pos on and returns a copy
// of the last one's logits.
func decode(t testing.TB, c *llama.Context, seq, pos int32, tokens []llama.Token) []float32 {
	t.Helper()
	b := newBatch(t, len(tokens), 1)
	for i, tok := range tokens {
		if err := b.Add(tok, pos+int32(i), i == len(tokens)-1, seq); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Decode(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	logits, err := c.Logits(len(tokens) - 1)
	if err != nil {
		t.Fatal(err)
	}
	return append([]float32(nil), logits...)
}

// captureLog sends llama.cpp's log to a buffer until the test ends.
func captureLog(t testing.TB, level slog.Level) *bytes.Buffer {
	t.Helper()
	var buf bytes.Buffer
	llama.SetLogger(slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: level})))
	t.Cleanup(func() { llama.SetLogger(nil) })
	return &buf
}

func best(logits []float32) llama.Token {
	at := 0
	for i, l := range logits {
		if l > logits[at] {
			at = i
		}
	}
	return llama.Token(at)
}
