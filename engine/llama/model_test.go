package llama_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"log/slog"

	"amend/engine/llama"
)

func TestModelInfo(t *testing.T) {
	m := openSmol(t)
	for _, f := range []struct {
		name      string
		got, want any
	}{
		{"CtxTrain", m.CtxTrain(), 8192},
		{"Embd", m.Embd(), 576},
		{"EmbdOut", m.EmbdOut(), 576},
		{"Layers", m.Layers(), 30},
		{"Heads", m.Heads(), 9},
		{"HeadsKV", m.HeadsKV(), 3},
		{"SWA", m.SWA(), 0},
		{"Recurrent", m.Recurrent(), false},
		{"Hybrid", m.Hybrid(), false},
		{"Diffusion", m.Diffusion(), false},
		{"HasEncoder", m.HasEncoder(), false},
		{"FileType", m.FileType(), llama.FileTypeQ4_1},
		{"vocabulary", m.Vocab().Size(), 49152},
		{"Params", m.Params(), uint64(134515008)},
	} {
		if f.got != f.want {
			t.Errorf("%s is %v, want %v", f.name, f.got, f.want)
		}
	}
	if arch, ok := m.Meta("general.architecture"); !ok || arch != "llama" {
		t.Errorf("architecture %q, %v", arch, ok)
	}
	if _, ok := m.Meta("no.such.key"); ok {
		t.Error("a key that is not there was found")
	}
	tmpl, ok := m.ChatTemplate("")
	if !ok || !strings.Contains(tmpl, "im_start") {
		t.Errorf("chat template %q", tmpl)
	}
	if meta, _ := m.Meta("tokenizer.chat_template"); meta != tmpl {
		t.Error("a value longer than the first buffer is cut")
	}
	if _, ok := m.ChatTemplate("tool_use"); ok {
		t.Error("a template that is not there was found")
	}
	seen := map[string]string{}
	for _, kv := range m.Metadata() {
		seen[kv.Key] = kv.Value
	}
	if seen["llama.block_count"] != "30" || seen["tokenizer.chat_template"] != tmpl {
		t.Errorf("metadata %v", seen)
	}
	if m.Size() == 0 {
		t.Error("the model has no size")
	}
}

func TestLoadModelErrors(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.gguf")
	if err := os.WriteFile(garbage, bytes.Repeat([]byte("not a model "), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := llama.LoadModel(context.Background(), garbage, llama.ModelParams{})
	if err == nil || !strings.Contains(err.Error(), garbage) || !strings.Contains(err.Error(), "invalid magic") {
		t.Errorf("garbage: %v, want the path and llama.cpp's reason", err)
	}
	if _, err := llama.LoadModel(context.Background(), filepath.Join(dir, "none"), llama.ModelParams{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := llama.LoadModel(context.Background(), dir, llama.ModelParams{}); err == nil {
		t.Error("a folder: no error")
	}
	if _, err := llama.LoadModel(context.Background(), "a\x00b", llama.ModelParams{}); err == nil {
		t.Error("a NUL byte: no error")
	}
	head, err := os.ReadFile(smolFile(t))
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.gguf")
	if err := os.WriteFile(cut, head[:len(head)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := llama.LoadModel(context.Background(), cut, llama.ModelParams{}); err == nil || !strings.Contains(err.Error(), "data is not within") {
		t.Errorf("half a model: %v", err)
	}
}

func TestLoadModelProgressAndCancel(t *testing.T) {
	file := smolFile(t)
	var seen []float32
	m, err := llama.LoadModel(context.Background(), file, llama.ModelParams{Progress: func(p float32) { seen = append(seen, p) }})
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, m)
	if len(seen) < 2 || seen[len(seen)-1] != 1 {
		t.Errorf("progress %v, want it to end with 1", seen)
	}

	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	_, err = llama.LoadModel(ctx, file, llama.ModelParams{Progress: func(float32) { calls++; cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while loading: %v", err)
	}
	if calls != 1 {
		t.Errorf("%d progress calls, want none after the cancel", calls)
	}
	if _, err := llama.LoadModel(ctx, file, llama.ModelParams{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
}

func TestClose(t *testing.T) {
	m, err := llama.LoadModel(context.Background(), smolFile(t), llama.ModelParams{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.NewContext(llama.ContextParams{Ctx: 256})
	if err != nil {
		t.Fatal(err)
	}
	b, err := llama.NewBatch(4, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); !errors.Is(err, llama.ErrInUse) || !strings.Contains(err.Error(), "model_test.go:") {
		t.Errorf("close under a context: %v", err)
	}
	for range 2 {
		mustClose(t, c)
		mustClose(t, b)
		mustClose(t, m)
	}
	// A closed value answers, with an error or with nothing.
	for name, err := range map[string]error{
		"Decode":         c.Decode(context.Background(), b),
		"ClearMemory":    c.ClearMemory(true),
		"SetEmbeddings":  c.SetEmbeddings(true),
		"SetAdapters":    c.SetAdapters(nil, nil),
		"SetSeqState":    c.SetSeqState(0, nil),
		"Batch.Add":      b.Add(1, 0, true, 0),
		"Logits":         second(c.Logits(0)),
		"NewContext":     second(m.NewContext(llama.ContextParams{})),
		"LoadAdapter":    second(m.LoadAdapter("x")),
		"Tokenize":       second(m.Vocab().Tokenize("x", false, false)),
		"TokenizeContin": second(m.Vocab().TokenizeContinuation("x", false)),
	} {
		if !errors.Is(err, llama.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.Synchronize()
	b.Clear()
	if c.NCtx() != 0 || c.SeqRemove(0, -1, -1) || m.Embd() != 0 || m.Vocab().BOS() != llama.NoToken {
		t.Error("a closed value has properties")
	}
}

func second[T any](_ T, err error) error { return err }

func TestVocabOnlyModel(t *testing.T) {
	m, err := llama.LoadModel(context.Background(), vocabFiles(t)[0], llama.ModelParams{VocabOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, m)
	if _, err := m.NewContext(llama.ContextParams{}); err == nil {
		t.Error("a context without weights: no error")
	}
}

func TestLogCapture(t *testing.T) {
	out := captureLog(t, slog.LevelDebug)
	m := openSmol(t)
	mustClose(t, m)
	text := out.String()
	if !strings.Contains(text, "llama_model_loader") || !strings.Contains(text, "DEBU") {
		t.Errorf("a load logged:\n%.500s", text)
	}

	quiet := captureLog(t, slog.LevelWarn)
	if _, err := llama.LoadModel(context.Background(), writeTemp(t, "garbage"), llama.ModelParams{}); err == nil {
		t.Fatal("no error")
	}
	if got := quiet.String(); !strings.Contains(got, "ERRO") || strings.Contains(got, "DEBU") {
		t.Errorf("at level warn:\n%s", got)
	}
}

func writeTemp(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLeaksAreReported(t *testing.T) {
	reports := make(chan string, 8)
	llama.SetLogger(slog.New(slog.NewTextHandler(lineWriter(reports), nil)))
	defer llama.SetLogger(nil)
	func() {
		if _, err := llama.NewBatch(77, 1); err != nil {
			t.Fatal(err)
		}
	}()
	for range 10 { // one is enough, but for what the stack still holds
		runtime.GC()
		deadline := time.After(time.Second)
		for waiting := true; waiting; {
			select {
			case line := <-reports:
				if strings.Contains(line, "batch of 77 tokens") && strings.Contains(line, "model_test.go:") {
					return
				}
			case <-deadline:
				waiting = false
			}
		}
	}
	t.Fatal("a batch that was lost is not reported")
}

// lineWriter sends what is written to a channel, or drops it when that is full.
type lineWriter chan<- string

func (w lineWriter) Write(p []byte) (int, error) {
	select {
	case w <- string(p):
	default:
	}
	return len(p), nil
}

func TestDevices(t *testing.T) {
	devices, err := llama.Devices()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		if d.Type == llama.DeviceCPU {
			if d.Name == "" || d.Backend == "" || d.MemoryTotal == 0 || len(d.Features) == 0 {
				t.Errorf("CPU: %+v", d)
			}
			return
		}
	}
	t.Errorf("no CPU among %+v", devices)
}

func TestAbout(t *testing.T) {
	if llama.Version() == "" || !strings.Contains(llama.SystemInfo(), "CPU") || llama.MaxSequences() < 64 {
		t.Errorf("version %q, system %q, sequences %d", llama.Version(), llama.SystemInfo(), llama.MaxSequences())
	}
}
