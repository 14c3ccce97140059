package llama_test

import (
	"testing"

	"amend/engine/llama"
)

// A LoRA adapter of random numbers for the testbed model, made by the way of
// trained ones, and the golden file of what transformers and PEFT compute with
// it for the conversations of models/testbed/testdata/tokens.jsonl:
// scripts/reference/update-adapter writes both.
const (
	testbedFile   = "../../models/testbed/testbed.gguf"
	adapterFile   = "testdata/reference/adapter.gguf"
	adapterGolden = "testdata/reference/adapter.json"
)

// TestReferenceAdapter compares each token's log-prob, eight conversations at a
// time. In 32 bits the tolerance is that of a model without an adapter. Measured:
// differences of 2e-7 in the mean, of size 6.4e-6 in the mean and 7.2e-5 at most;
// all of the most likely tokens the same. With the model as it comes, llama.cpp
// rounds what Q8_0 weights are multiplied with. Measured: 0.0066, 0.13 and 1.4;
// 97 % of the most likely tokens the same, the others at most 0.67 behind. Its
// bounds are about three times that.
//
// An adapter that changes little would pass unused, so the test also holds how
// far off others are. Measured in the mean: the bare model 3.4, a tenth less of
// the adapter 0.78, a tenth more 0.96.
func TestReferenceAdapter(t *testing.T) {
	if testing.Short() {
		t.Skip("adds up a vocabulary's logits at each of thousands of tokens")
	}
	ref := readReference(t, adapterGolden, testbedFile)
	rounded := tolerance{bias: 0.02, mean: 0.35, max: 4, same: 0.92, lead: 2}
	for _, v := range []struct {
		name string
		open func(*testing.T) *llama.Model
		kv   llama.KVType
		tol  tolerance
	}{
		{"all in F32", func(t *testing.T) *llama.Model { return openAs(t, testbedFile, llama.FileTypeF32) }, llama.KVF32, exact},
		{"as it comes", func(t *testing.T) *llama.Model { return openModel(t, testbedFile) }, llama.KVF16, rounded},
	} {
		t.Run(v.name, func(t *testing.T) {
			m := v.open(t)
			a := loadAdapter(t, m, adapterFile)
			if base, _ := a.Meta("amend.base.sha256"); base != ref.SHA256 {
				t.Errorf("%s is for a model of sha256 %q, and %s was made from %s", adapterFile, base, adapterGolden, ref.SHA256)
			}
			c := openContext(t, m, llama.ContextParams{
				SeqMax: 8, KVUnified: true, Ctx: 2048, Batch: 128, TypeK: v.kv, TypeV: v.kv, FlashAttn: llama.FlashOff,
			})
			compareScaled(t, c, a, 1, ref.Texts).within(t, v.tol)
			for scale, least := range map[float32]float64{0: 2, 0.9: 0.5, 1.1: 0.5} {
				if got := compareScaled(t, c, a, scale, ref.Texts[:16]); !(got.mean >= least) {
					t.Errorf("with %g times the adapter, log-probs are %g from the reference in the mean, want at least %g", scale, got.mean, least)
				}
			}
		})
	}
}

// compareScaled compares with the adapter at a scale; at 0 it is not set at all.
func compareScaled(t *testing.T, c *llama.Context, a *llama.Adapter, scale float32, texts []refScore) agreement {
	t.Helper()
	adapters, scales := []*llama.Adapter{a}, []float32{scale}
	if scale == 0 {
		adapters, scales = nil, nil
	}
	if err := c.SetAdapters(adapters, scales); err != nil {
		t.Fatal(err)
	}
	return compare(t, c, texts, c.NBatch()/c.NSeqMax())
}

// loadAdapter loads an adapter that is closed before its model. Contexts that use
// it are opened after it, so that they are closed before.
func loadAdapter(t *testing.T, m *llama.Model, file string) *llama.Adapter {
	t.Helper()
	a, err := m.LoadAdapter(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, a) })
	return a
}
