package llama_test

import (
	"fmt"
	"math"
	"testing"

	"amend/engine/llama"
)

// TestProducts compares each logit of quantized weights with that of the same
// weights in F32, whatever the number of columns, and where rows do not fill the
// tiles of third_party/patches: GPT-2 has 50,257 tokens. Products round
// activations to 8 bits. Measured: differences of up to 1.5 % of the logits'
// range.
func TestProducts(t *testing.T) {
	const tolerance = 0.04
	for _, quant := range []string{"Q4_0", "Q8_0"} {
		file := tinyFile(t, quant)
		quantized, f32 := openModel(t, file), openAs(t, file, llama.FileTypeF32)
		for _, n := range []int{1, 2, 3, 5, 16, 19} {
			t.Run(fmt.Sprintf("%s, %d columns", quant, n), func(t *testing.T) {
				got, want := allLogits(t, quantized, n), allLogits(t, f32, n)
				for i := range want {
					low, high := float32(math.Inf(1)), float32(math.Inf(-1))
					for _, x := range want[i] {
						low, high = min(low, x), max(high, x)
					}
					for token := range want[i] {
						if d := math.Abs(float64(got[i][token]-want[i][token])) / float64(high-low); !(d <= tolerance) {
							t.Fatalf("column %d, token %d: %v, in F32 %v; they differ by %v of the range", i, token, got[i][token], want[i][token], d)
						}
					}
				}
			})
		}
	}
}

// allLogits returns those after each of n tokens, computed at once.
func allLogits(t *testing.T, m *llama.Model, n int) [][]float32 {
	t.Helper()
	c := openContext(t, m, llama.ContextParams{Ctx: 256, FlashAttn: llama.FlashOff})
	b := newBatch(t, n, 1)
	for i := range n {
		if err := b.Add(llama.Token(1000+37*i), int32(i), true, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Decode(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	logits := make([][]float32, n)
	for i := range logits {
		l, err := c.Logits(i)
		if err != nil {
			t.Fatal(err)
		}
		logits[i] = append([]float32(nil), l...)
	}
	return logits
}
