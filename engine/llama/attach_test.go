package llama_test

import (
	"slices"
	"testing"

	"amend/engine/llama"
)

// An attached sequence goes on where the other one ends, without holding its
// cells, with an adapter too. What is read by another cannot be cut, and what is
// cut to nothing is attached to nothing.
func TestSeqAttach(t *testing.T) {
	m := openTiny(t)
	a, err := m.LoadAdapter(writeLoRA(t, m.Embd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, a) })
	tokens := tokenize(t, m, passage)
	cut := int32(len(tokens) - 4)
	c := openContext(t, m, llama.ContextParams{Ctx: 1024, SeqMax: 4, FlashAttn: llama.FlashOff})
	if !c.CanAttach() {
		t.Fatal("this memory cannot attach")
	}
	var plain []float32
	for _, adapted := range []bool{false, true} {
		if adapted {
			if err := c.SetAdapters([]*llama.Adapter{a}, []float32{1}); err != nil {
				t.Fatal(err)
			}
		}
		for seq := range int32(4) {
			if !c.SeqRemove(3-seq, -1, -1) {
				t.Fatal("a sequence that nothing is attached to cannot be removed")
			}
		}
		want := decode(t, c, 3, 0, tokens)
		decode(t, c, 0, 0, tokens[:cut])
		if !c.SeqAttach(1, 0) || !c.SeqAttach(2, 0) {
			t.Fatal("not attached")
		}
		if c.SeqPosMin(1) != 0 || c.SeqPosMax(1) != cut-1 {
			t.Errorf("attached, a sequence is at %d to %d, want 0 to %d", c.SeqPosMin(1), c.SeqPosMax(1), cut-1)
		}
		got := decode(t, c, 1, cut, tokens[cut:])
		if d := farthest(got, want); d > 0.02 {
			t.Errorf("adapter %v: logits differ by %g from those of a sequence that holds all", adapted, d)
		}
		if other := decode(t, c, 2, cut, tokens[cut:]); !slices.Equal(other, got) {
			t.Error("another attached sequence goes on differently")
		}
		if adapted && farthest(got, plain) < 0.1 {
			t.Error("the adapter changes nothing")
		}
		plain = got
	}
	if c.SeqRemove(0, 3, -1) || c.SeqAttach(1, 0) || c.SeqAttach(3, 3) || c.SeqAttach(9, 0) {
		t.Error("cut below those who are attached, or attached what holds something, to itself, or what is not there")
	}
	if err := c.SeqCopy(2, 0, -1, -1); err == nil {
		t.Error("replaced by a copy below those who are attached")
	}
	if !c.SeqRemove(1, -1, -1) || c.SeqPosMax(1) != -1 {
		t.Error("an attached sequence is not empty after all of it was cut")
	}
}

// A graph has room for as many parts as SeqAttach lets be read.
func TestSeqAttachMost(t *testing.T) {
	m := openTiny(t)
	c := openContext(t, m, llama.ContextParams{Ctx: 12 * 256, SeqMax: 12, FlashAttn: llama.FlashOff})
	token := tokenize(t, m, passage)[:1]
	decode(t, c, 0, 0, token)
	attached := int32(0)
	for c.SeqAttach(attached+1, attached) {
		attached++
		decode(t, c, attached, attached, token)
	}
	if attached != 8 {
		t.Errorf("a chain of %d, want 8", attached)
	}
}

// Nothing is attached where shared cells or flash attention read otherwise.
func TestCannotAttach(t *testing.T) {
	m := openTiny(t)
	for name, p := range map[string]llama.ContextParams{
		"unified":         {KVUnified: true, FlashAttn: llama.FlashOff},
		"flash attention": {FlashAttn: llama.FlashOn},
	} {
		p.Ctx, p.SeqMax = 512, 2
		c := openContext(t, m, p)
		decode(t, c, 0, 0, tokenize(t, m, passage))
		if c.CanAttach() || c.SeqAttach(1, 0) || c.SeqPosMax(1) != -1 {
			t.Errorf("%s: attached", name)
		}
	}
}

// farthest is the largest difference of two lists of logits.
func farthest(a, b []float32) (most float32) {
	for i := range a {
		most = max(most, a[i]-b[i], b[i]-a[i])
	}
	return most
}
