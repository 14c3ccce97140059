package models

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// synth writes a model and opens it.
func synth(t *testing.T, shape string, spec Spec) (Synthesized, *Model) {
	t.Helper()
	var err error
	if spec.Shape, err = ParseShape(shape); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "synth.gguf")
	made, err := Synth(t.Context(), path, spec, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return made, m
}

// The same seed must write the same bytes on every machine: measurements are compared by it.
func TestSynthGolden(t *testing.T) {
	tokenizer := vocabulary(t)
	var lines strings.Builder
	for _, quant := range Quantizations() {
		for _, shape := range []string{"tiny", "3,256,256,4,1"} {
			made, m := synth(t, shape, Spec{Quant: quant, Seed: 42, Tokenizer: tokenizer})
			fmt.Fprintf(&lines, "%s %s %s %d", shape, quant, made.SHA256, made.Parameters)
			for _, c := range made.Types {
				fmt.Fprintf(&lines, " %s:%d", c.Type, c.Tensors)
			}
			fmt.Fprintln(&lines)
			if sum, err := m.SHA256(t.Context()); err != nil || sum != made.SHA256 {
				t.Errorf("the reported checksum %s is not the file's, %s (%v)", made.SHA256, sum, err)
			}
		}
	}
	golden := filepath.Join("testdata", "synth.golden")
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(golden, []byte(lines.String()), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if lines.String() != string(want) {
		t.Errorf("got\n%swant\n%s(go test -update rewrites it)", lines.String(), want)
	}
}

func TestSynthDependsOnTheSeedAlone(t *testing.T) {
	tokenizer := vocabulary(t)
	// 12 MB: several chunks in a tensor.
	spec := Spec{Quant: "F32", Seed: 1, Tokenizer: tokenizer, Workers: 1}
	one, m := synth(t, "2,640,1600,4,2", spec)
	spec.Workers = 7
	seven, _ := synth(t, "2,640,1600,4,2", spec)
	spec.Seed = 2
	other, _ := synth(t, "2,640,1600,4,2", spec)
	if one.SHA256 != seven.SHA256 {
		t.Error("the number of workers changes the file")
	}
	if one.SHA256 == other.SHA256 {
		t.Error("the seed does not change the file")
	}
	data, err := os.ReadFile(one.Path)
	if err != nil {
		t.Fatal(err)
	}
	ffn, _ := m.tensor("blk.0.ffn_up.weight")
	weights := data[m.Parts[0].DataOffset+ffn.Offset:][:ffn.Size]
	if len(weights) < 2*chunkBytes || bytes.Equal(weights[:1<<16], weights[chunkBytes:][:1<<16]) {
		t.Error("the chunks of a tensor repeat each other")
	}
}

func TestSynthDescribesTheShape(t *testing.T) {
	tokenizer := vocabulary(t)
	for _, s := range Shapes() {
		if s.Layers*s.Embedding > 40000 { // the large ones would write gigabytes
			continue
		}
		if s.Name != "tiny" {
			s.Layers, s.FeedForward = 1, 64 // the figures that only make the file large
		}
		path := filepath.Join(t.TempDir(), "m.gguf")
		if _, err := Synth(t.Context(), path, Spec{Shape: s, Quant: "Q4_0", Seed: 1, Tokenizer: tokenizer}, false, nil); err != nil {
			t.Fatal(err)
		}
		m, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		info := m.Info()
		if info.Architecture != s.Arch || info.Layers != s.Layers || info.Embedding != s.Embedding || info.Heads != s.Heads ||
			info.KVHeads != s.KVHeads || info.Context != s.Context || info.TiedEmbeddings != s.Tied || info.Vocabulary != 300 ||
			info.Quantization != "Q4_0" || !info.ChatTemplate || !info.Runnable || info.PreTokenizer != "smollm" {
			t.Errorf("%s: %+v", s.Name, info)
		}
		_, bias := m.tensor("blk.0.attn_k.bias")
		_, freqs := m.tensor("rope_freqs.weight")
		if bias != s.QKVBias || freqs != (s.RopeFactor > 0) {
			t.Errorf("%s: bias %v, rope_freqs %v", s.Name, bias, freqs)
		}
	}
}

// Parameter counts that the model cards give, vocabulary included.
func TestShapesHaveTheRealParameterCounts(t *testing.T) {
	for name, c := range map[string]struct{ vocabulary, parameters uint64 }{
		"smollm2-135m": {49152, 134515008},
		"qwen2.5-0.5b": {151936, 494032768},
		"qwen2.5-1.5b": {151936, 1543714304},
		"qwen2.5-7b":   {152064, 7615616512},
		"llama-3.2-1b": {128256, 1235814400},
		"llama-3.2-3b": {128256, 3212749824},
		"llama-3.1-8b": {128256, 8030261248},
	} {
		s, err := ParseShape(name)
		if err != nil {
			t.Fatal(err)
		}
		var n uint64
		for _, w := range s.weights(c.vocabulary) {
			if w.name != "rope_freqs.weight" { // constants, which the cards do not count
				n += Tensor{Dims: w.dims}.Elements()
			}
		}
		if n != c.parameters {
			t.Errorf("%s has %d parameters, want %d", name, n, c.parameters)
		}
	}
}

func TestSynthReportsFallbacks(t *testing.T) {
	made, m := synth(t, "1,64,256,4,2", Spec{Quant: "Q4_K_M", Seed: 1, Tokenizer: vocabulary(t)})
	// Rows of 64 do not fit K blocks; ffn_down's 256 do, and it is one that gets more bits.
	if !slices.Contains(made.Fallbacks, Fallback{"Q4_K", "Q5_0", 64, 5}) {
		t.Errorf("fallbacks %+v", made.Fallbacks)
	}
	if down, _ := m.tensor("blk.0.ffn_down.weight"); down.Type != Q6_K {
		t.Errorf("ffn_down is %v", down.Type)
	}
	odd, m := synth(t, "1,20,32,2,1", Spec{Quant: "Q4_0", Seed: 1, Tokenizer: vocabulary(t)})
	if q, _ := m.tensor("blk.0.attn_q.weight"); q.Type != F16 || len(odd.Fallbacks) == 0 {
		t.Errorf("a row of 20 is %v, fallbacks %+v", q.Type, odd.Fallbacks)
	}
}

func TestSynthReplacesTheTemplate(t *testing.T) {
	_, m := synth(t, "tiny", Spec{Quant: "F16", Tokenizer: vocabulary(t), Template: "new"})
	if s, _ := m.Parts[0].String("tokenizer.chat_template"); s != "new" {
		t.Errorf("template is %q", s)
	}
}

func TestSynthLeavesNothingBehindWhenItFails(t *testing.T) {
	tokenizer, dir := vocabulary(t), t.TempDir()
	shape, err := ParseShape("4,640,1600,4,2")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "m.gguf")
	ctx, cancel := context.WithCancel(t.Context())
	_, err = Synth(ctx, path, Spec{Shape: shape, Quant: "F32", Tokenizer: tokenizer}, false, func(done, total uint64) {
		if done > total/4 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	tiny := Shapes()[0]
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Synth(t.Context(), path, Spec{Shape: tiny, Quant: "F32", Tokenizer: tokenizer}, false, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("over an existing file: %v", err)
	}
	if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, []byte("precious")) {
		t.Errorf("the existing file is now %q, %v", kept, err)
	}
	if _, err := Synth(t.Context(), path, Spec{Shape: tiny, Quant: "F32", Tokenizer: tokenizer}, true, nil); err != nil {
		t.Errorf("with replace: %v", err)
	}
}

// A file of 100 MB is made with a few MB of memory: the buffers of the workers, used again and again.
func TestSynthMemoryIsFlat(t *testing.T) {
	shape, err := ParseShape("9,1024,2816,16,4")
	if err != nil {
		t.Fatal(err)
	}
	spec := Spec{Shape: shape, Quant: "Q8_0", Tokenizer: vocabulary(t), Workers: 4}
	path := filepath.Join(t.TempDir(), "m.gguf")
	var made Synthesized
	allocated := allocatedBy(func() { made, err = Synth(t.Context(), path, spec, false, nil) })
	if err != nil {
		t.Fatal(err)
	}
	if made.SizeBytes < 100e6 || allocated > 8*chunkBytes+4<<20 {
		t.Errorf("writing %d bytes allocated %d, in all", made.SizeBytes, allocated)
	}
}

func TestParseShape(t *testing.T) {
	s, err := ParseShape("2,64,128,4,2")
	if err != nil || s.Layers != 2 || s.Embedding != 64 || s.FeedForward != 128 || s.Heads != 4 || s.KVHeads != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	for text, want := range map[string]string{
		"llama":               "must be one of tiny, smollm2-135m",
		"2,64,128,4":          "L,D,F,H,KV",
		"2,64,x,4,2":          `"x" must be a whole number`,
		"0,64,128,4,2":        "layers is 0, but must be from 1 to 512",
		"2,64,4294967295,4,2": "feed-forward is 4294967295",
		"2,64,128,5,5":        "even multiple of the 5 heads",
		"2,12,128,4,2":        "even multiple of the 4 heads",
		"2,64,128,4,3":        "multiple of the 3 KV heads",
	} {
		if _, err := ParseShape(text); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The divisors must rise from 1 for fast frequencies to the factor for slow ones, at the wavelengths that
// Llama 3 sets: below 2048 positions untouched, above 8192 divided in full.
func TestRopeFreqs(t *testing.T) {
	s, err := ParseShape("llama-3.1-8b")
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, s.headDim()/2*4)
	s.ropeFreqs(data, F32, nil)
	last := 1.0
	for i := range int(s.headDim() / 2) {
		divisor := dequantize(F32, data[4*i:])[0]
		wavelength := 2 * math.Pi * math.Pow(500000, float64(i)/64)
		if divisor < last || (wavelength < 2048 && divisor != 1) || (wavelength > 8192 && divisor != 8) {
			t.Errorf("frequency %d of wavelength %g is divided by %g", i, wavelength, divisor)
		}
		last = divisor
	}
}
