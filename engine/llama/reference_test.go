package llama_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"os"
	"slices"
	"testing"

	"amend/engine/llama"
)

// The golden file holds what transformers and torch compute from the weights of
// the same GGUF, dequantized, in 32-bit floats: scripts/reference/update writes
// it, from token ids that TestReferenceTokens gives it.
const (
	referenceTexts  = "testdata/reference/texts.jsonl"
	referenceGolden = "testdata/reference/golden.json"
)

var referenceIDs = flag.String("reference-ids", "", "file to write the token ids of "+referenceTexts+" to, for scripts/reference")

// referenceText is a line of referenceTexts.
type referenceText struct {
	Name    string `json:"name"`
	Text    string `json:"text"`
	Control bool   `json:"control"` // control tokens in it are meant
}

// reference is the golden file.
type reference struct {
	SHA256 string     `json:"sha256"` // of the GGUF
	Texts  []refScore `json:"texts"`
}

// refScore is what the reference computed for one text.
type refScore struct {
	Name     string        `json:"name"`
	IDs      []llama.Token `json:"ids"`
	LogProbs []float64     `json:"log_probs"` // of IDs[i+1] after IDs[:i+1], natural logarithm
	Best     []llama.Token `json:"best"`      // the most likely token after IDs[:i+1]
}

// readReference reads a golden file that was made from the given model.
func readReference(t *testing.T, golden, model string) reference {
	t.Helper()
	data, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	var ref reference
	if err := json.Unmarshal(data, &ref); err != nil {
		t.Fatalf("%s: %v", golden, err)
	}
	if len(ref.Texts) < 20 {
		t.Fatalf("%s has %d texts", golden, len(ref.Texts))
	}
	for _, s := range ref.Texts {
		if n := len(s.IDs); n < 2 || len(s.LogProbs) != n-1 || len(s.Best) != n {
			t.Fatalf("%s: %q has %d ids, %d log-probs, %d best tokens", golden, s.Name, n, len(s.LogProbs), len(s.Best))
		}
	}
	if got := fileSHA256(t, model); got != ref.SHA256 {
		t.Fatalf("%s has sha256 %s, and %s was made from %s", model, got, golden, ref.SHA256)
	}
	return ref
}

func fileSHA256(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestReferenceTokens(t *testing.T) {
	m, err := llama.LoadModel(context.Background(), smolFile(t), llama.ModelParams{VocabOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, m)
	f, err := os.Open(referenceTexts)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []refScore
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var text referenceText
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			t.Fatalf("%s: %v", referenceTexts, err)
		}
		ids, err := m.Vocab().Tokenize(text.Text, false, text.Control)
		if err != nil {
			t.Fatalf("%s: %v", text.Name, err)
		}
		if has := slices.ContainsFunc(ids, m.Vocab().IsControl); has != text.Control {
			t.Errorf("%s: has control tokens: %v, want %v", text.Name, has, text.Control)
		}
		got = append(got, refScore{Name: text.Name, IDs: ids})
	}
	if *referenceIDs != "" {
		writeJSON(t, *referenceIDs, got)
		return
	}
	want := readReference(t, referenceGolden, smolFile(t)).Texts
	if len(got) != len(want) {
		t.Fatalf("%s has %d texts and %s %d: run scripts/reference/update", referenceTexts, len(got), referenceGolden, len(want))
	}
	for i, g := range got {
		if g.Name != want[i].Name || !slices.Equal(g.IDs, want[i].IDs) {
			t.Errorf("text %d, %q: ids %v, and those of the golden file's %q are %v", i, g.Name, g.IDs, want[i].Name, want[i].IDs)
		}
	}
}

func writeJSON(t *testing.T, file string, v any) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// exact is for weights, keys and values in 32 bits, without flash attention
// (which rounds queries to 16 bits): both sides do the same 32-bit arithmetic,
// and only the order of sums and the approximation of exp differ. Measured:
// 4.5e-6 in the mean, at most 4.7e-5. Anything else, such as a wrong position, a
// mask that leaks or a permuted row, is beyond ten times that.
var exact = tolerance{bias: 1e-5, mean: 5e-5, max: 5e-4, same: 0.999, lead: 1e-3}

// TestReferenceF32 has the same weights as the reference: llama.cpp's own
// dequantization of the GGUF.
func TestReferenceF32(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 540 MB")
	}
	ref := readReference(t, referenceGolden, smolFile(t))
	m := openAs(t, smolFile(t), llama.FileTypeF32)

	// Keys, values and queries in 16 bits have 11 bits of mantissa, and thirty
	// layers add up what these lose. Measured over all texts: 0.002 in the mean, at
	// most 0.064.
	half := tolerance{bias: 5e-4, mean: 5e-3, max: 0.15, same: 0.995, lead: 0.05}

	f32 := func(seqs int) llama.ContextParams {
		return llama.ContextParams{SeqMax: seqs, KVUnified: true, TypeK: llama.KVF32, TypeV: llama.KVF32, FlashAttn: llama.FlashOff}
	}
	for _, v := range []struct {
		name   string
		params llama.ContextParams
		chunk  int // tokens of a sequence in a batch
		texts  []refScore
		tol    tolerance
	}{
		{"one by one", f32(1), 128, ref.Texts, exact},
		{"eight in one buffer", f32(8), 16, ref.Texts[:16], exact},
		{"eight in own streams", llama.ContextParams{SeqMax: 8, FlashAttn: llama.FlashOn}, 16, ref.Texts[16:32], half},
	} {
		t.Run(v.name, func(t *testing.T) {
			v.params.Ctx, v.params.Batch = 1024*v.params.SeqMax, v.chunk*v.params.SeqMax
			compare(t, openContext(t, m, v.params), v.texts, v.chunk).within(t, v.tol)
		})
	}
}

// TestReferenceQuantized runs the model as it comes, as amend does. Its weights
// are the reference's, but llama.cpp rounds what they are multiplied with to 8
// bits in blocks of 32, at every product of every layer. Measured, over three
// KV layouts: differences of at most 0.008 in the mean, of size 0.070 in the
// mean and 0.83 at most; 95 % of the most likely tokens the same, the others
// at most 0.9 behind. Kernels for other CPUs round elsewhere: each bound is
// twice to three times that.
func TestReferenceQuantized(t *testing.T) {
	if testing.Short() {
		t.Skip("adds up a vocabulary's logits at each of thousands of tokens")
	}
	ref := readReference(t, referenceGolden, smolFile(t))
	tol := tolerance{bias: 0.02, mean: 0.14, max: 2, same: 0.92, lead: 2}
	params := llama.ContextParams{Ctx: 1024, Batch: 128, FlashAttn: llama.FlashOff}
	m := openSmol(t)
	for _, keys := range []llama.KVType{llama.KVF16, llama.KVQ8_0} {
		t.Run("keys in "+keys.String(), func(t *testing.T) {
			params.TypeK = keys
			compare(t, openContext(t, m, params), ref.Texts, 128).within(t, tol)
		})
	}
	// In Q8_0, whose products third_party/patches computes, with rows of 576 and of
	// 1,536 numbers.
	t.Run("weights in Q8_0", func(t *testing.T) {
		m := openAs(t, smolFile(t), llama.FileTypeQ8_0)
		compare(t, openContext(t, m, params), ref.Texts[:16], 128).within(t, tol)
	})
}
