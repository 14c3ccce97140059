package llama_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"amend/engine/llama"
)

// writeLoRA writes a LoRA adapter of rank 1 for the first layer's queries of a
// llama model of the given width, as a GGUF file.
func writeLoRA(t *testing.T, width int) string {
	t.Helper()
	var b bytes.Buffer
	le := binary.LittleEndian
	u32 := func(v uint32) { b.Write(le.AppendUint32(nil, v)) }
	u64 := func(v uint64) { b.Write(le.AppendUint64(nil, v)) }
	str := func(s string) { u64(uint64(len(s))); b.WriteString(s) }
	const typeString, typeFloat = 8, 6
	b.WriteString("GGUF")
	u32(3)
	u64(2) // tensors
	u64(4) // metadata
	for _, kv := range [][2]string{{"general.type", "adapter"}, {"general.architecture", "llama"}, {"adapter.type", "lora"}} {
		str(kv[0])
		u32(typeString)
		str(kv[1])
	}
	str("adapter.lora.alpha")
	u32(typeFloat)
	u32(0x3f800000) // 1
	tensor := func(name string, ne0, ne1 int, offset int) {
		str(name)
		u32(2)
		u64(uint64(ne0))
		u64(uint64(ne1))
		u32(0) // F32
		u64(uint64(offset))
	}
	tensor("blk.0.attn_q.weight.lora_a", width, 1, 0)
	tensor("blk.0.attn_q.weight.lora_b", 1, width, 4*width)
	for b.Len()%32 != 0 {
		b.WriteByte(0)
	}
	for range 2 * width {
		u32(0x3e4ccccd) // 0.2
	}
	file := filepath.Join(t.TempDir(), "lora.gguf")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAdapter(t *testing.T) {
	m := openTiny(t)
	a, err := m.LoadAdapter(writeLoRA(t, m.Embd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, a) })
	if kind, ok := a.Meta("adapter.type"); !ok || kind != "lora" {
		t.Errorf("adapter.type is %q, %v", kind, ok)
	}
	c := openContext(t, m, llama.ContextParams{Ctx: 256})
	tokens := tokenize(t, m, passage)
	logits := func() []float32 {
		c.SeqRemove(0, -1, -1)
		return decode(t, c, 0, 0, tokens)
	}
	plain := logits()
	if err := c.SetAdapters([]*llama.Adapter{a}, []float32{1}); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(logits(), plain) {
		t.Error("the adapter changes nothing")
	}
	if err := a.Close(); !errors.Is(err, llama.ErrInUse) {
		t.Errorf("close of an adapter in use: %v", err)
	}
	if err := m.Close(); !errors.Is(err, llama.ErrInUse) {
		t.Errorf("close of the model of an adapter: %v", err)
	}
	if err := c.SetAdapters([]*llama.Adapter{a, a}, []float32{1, 1}); err == nil {
		t.Error("an adapter named twice: no error")
	}
	if err := c.SetAdapters(nil, nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(logits(), plain) {
		t.Error("without the adapter the model is not itself again")
	}
	mustClose(t, a)
	if err := c.SetAdapters([]*llama.Adapter{a}, []float32{1}); !errors.Is(err, llama.ErrClosed) {
		t.Errorf("a closed adapter: %v", err)
	}
}

func TestAdapterErrors(t *testing.T) {
	m := openSmol(t)
	if _, err := m.LoadAdapter(writeTemp(t, "garbage")); err == nil || !strings.Contains(err.Error(), "gguf") {
		t.Errorf("garbage: %v", err)
	}
	if _, err := m.LoadAdapter(smolFile(t)); err == nil {
		t.Error("a model as an adapter: no error")
	}
	if _, err := m.LoadAdapter(writeLoRA(t, 64)); err == nil {
		t.Error("an adapter of another shape: no error")
	}
	c := openContext(t, m, llama.ContextParams{Ctx: 256})
	if err := c.SetAdapters(nil, []float32{1}); err == nil {
		t.Error("a scale without an adapter: no error")
	}
}
