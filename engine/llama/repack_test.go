package llama_test

import (
	"math"
	"strings"
	"testing"

	"log/slog"

	"amend/engine/llama"
)

// Without repacking no weights go to a buffer of repacked ones, and the model
// computes the same except for rounding.
func TestNoRepack(t *testing.T) {
	file := tinyFile(t, "Q4_0")
	logits := func(p llama.ModelParams) ([]float32, string) {
		out := captureLog(t, slog.LevelDebug)
		m, err := llama.LoadModel(t.Context(), file, p)
		if err != nil {
			t.Fatal(err)
		}
		defer mustClose(t, m)
		c, err := m.NewContext(llama.ContextParams{Ctx: 256, Threads: 1, ThreadsBatch: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer mustClose(t, c)
		return decode(t, c, 0, 0, tokenize(t, m, "The quick brown fox jumps")), out.String()
	}
	repacked, _ := logits(llama.ModelParams{})
	plain, loaded := logits(llama.ModelParams{NoRepack: true})
	if strings.Contains(loaded, "REPACK") {
		t.Errorf("the load repacked weights:\n%s", loaded)
	}
	for i := range plain {
		if d := math.Abs(float64(plain[i] - repacked[i])); !(d < 0.1) {
			t.Fatalf("logit %d is %v, and %v from repacked weights", i, plain[i], repacked[i])
		}
	}
}
