package llama_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"amend/engine/llama"
)

func TestFileTypeNames(t *testing.T) {
	for _, name := range llama.FileTypeNames() {
		ft, err := llama.ParseFileType(strings.ToLower(name))
		if err != nil {
			t.Fatal(err)
		}
		if ft.String() != name {
			t.Errorf("%s is read as %v", name, ft)
		}
	}
	if _, err := llama.ParseFileType("Q9_K"); err == nil || !strings.Contains(err.Error(), "Q4_K_M") {
		t.Errorf("unknown type: %v, want the names there are", err)
	}
}

func TestQuantize(t *testing.T) {
	in, dir := smolFile(t), t.TempDir()
	out := filepath.Join(dir, "q8.gguf")
	// llama.cpp refuses to quantize what is quantized, unless asked to.
	if err := llama.Quantize(in, out, llama.QuantizeParams{FileType: llama.FileTypeQ8_0}); err == nil || !strings.Contains(err.Error(), "requantiz") {
		t.Errorf("requantize without leave: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("a failed run left %v, %v", left, err)
	}
	if err := llama.Quantize(in, out, llama.QuantizeParams{FileType: llama.FileTypeQ8_0, AllowRequantize: true, Threads: 2}); err != nil {
		t.Fatal(err)
	}
	m, err := llama.LoadModel(context.Background(), out, llama.ModelParams{})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, m)
	if m.FileType() != llama.FileTypeQ8_0 {
		t.Errorf("file type %v", m.FileType())
	}
	c, err := m.NewContext(llama.ContextParams{Ctx: 256})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, c)
	logits := decode(t, c, 0, 0, tokenize(t, m, "The capital of France is"))
	if got := string(m.Vocab().Piece(best(logits), false)); got != " Paris" {
		t.Errorf("most likely next: %q", got)
	}
}

func TestQuantizeRefuses(t *testing.T) {
	in := smolFile(t)
	for name, c := range map[string]struct {
		in, out string
		p       llama.QuantizeParams
	}{
		"over itself":  {in, in, llama.QuantizeParams{FileType: llama.FileTypeQ8_0, AllowRequantize: true}},
		"no input":     {in + ".none", "out", llama.QuantizeParams{FileType: llama.FileTypeQ8_0}},
		"unknown type": {in, "out", llama.QuantizeParams{FileType: 999}},
		"no output":    {in, "", llama.QuantizeParams{FileType: llama.FileTypeQ8_0}},
	} {
		if err := llama.Quantize(c.in, c.out, c.p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	head, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(head, []byte("GGUF")) {
		t.Error("the input was changed")
	}
}
