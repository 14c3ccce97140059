package llamatest

import (
	"math"
	"path/filepath"
	"testing"

	"amend/engine/llama"
	"amend/models"
)

// Whatever Synth writes, llama.cpp must load and compute with: every quantization, on rows that fit K blocks
// (256) and rows that do not (64), in both architectures. The weights are scaled so that logits have a
// deviation of 1 over the vocabulary; a block laid out wrongly shows at once.
func TestSynthModelsRun(t *testing.T) {
	path := filepath.Join("..", "..", "..", "..", "third_party", "llama.cpp", "models", "ggml-vocab-deepseek-coder.gguf")
	tokenizer, err := models.Open(path)
	if err != nil {
		t.Fatalf("make build fetches llama.cpp's vocabularies: %v", err)
	}
	fits := models.Shape{Name: "fits", Arch: "llama", Layers: 4, Embedding: 256, FeedForward: 512, Heads: 4, KVHeads: 2, Context: 512, RopeBase: 5e5, RopeFactor: 8, NormEps: 1e-5}
	qwen := models.Shape{Name: "qwen", Arch: "qwen2", Layers: 2, Embedding: 64, FeedForward: 128, Heads: 4, KVHeads: 2, Context: 512, RopeBase: 1e6, NormEps: 1e-6, Tied: true, QKVBias: true}
	tiny, err := models.ParseShape("tiny")
	if err != nil {
		t.Fatal(err)
	}
	for _, shape := range []models.Shape{fits, qwen, tiny} {
		for _, quant := range models.Quantizations() {
			t.Run(shape.Name+" "+quant, func(t *testing.T) {
				out := filepath.Join(t.TempDir(), "m.gguf")
				if _, err := models.Synth(t.Context(), out, models.Spec{Shape: shape, Quant: quant, Seed: 3, Tokenizer: tokenizer}, false, nil); err != nil {
					t.Fatal(err)
				}
				checkLogits(t, out)
			})
		}
	}
}

// checkLogits decodes a few tokens and looks at the last one's logits.
func checkLogits(t *testing.T, path string) {
	m, err := llama.LoadModel(t.Context(), path, llama.ModelParams{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	c, err := m.NewContext(llama.ContextParams{Ctx: 256, Threads: 1, ThreadsBatch: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, err := llama.NewBatch(16, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for i := range 16 {
		if err := b.Add(llama.Token(100+37*i), int32(i), i >= 14, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Decode(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	var best [2]int
	for k := range best {
		logits, err := c.Logits(14 + k)
		if err != nil {
			t.Fatal(err)
		}
		var sum, squares float64
		for i, l := range logits {
			if math.IsNaN(float64(l)) || math.IsInf(float64(l), 0) {
				t.Fatalf("logit %d is %g", i, l)
			}
			sum, squares = sum+float64(l), squares+float64(l)*float64(l)
			if l > logits[best[k]] {
				best[k] = i
			}
		}
		n := float64(len(logits))
		if deviation := math.Sqrt(squares/n - sum*sum/n/n); math.Abs(deviation-1) > 0.15 {
			t.Errorf("logits deviate by %g, want about 1", deviation)
		}
	}
	if best[0] == best[1] {
		t.Errorf("after different tokens, token %d is best both times", best[0])
	}
}
