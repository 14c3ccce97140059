package models

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestGenerative(t *testing.T) {
	weights := []Tensor{{Name: "token_embd.weight", Dims: []uint64{32, 2}, Type: F32}}
	arch := func(name string, more ...KV) []KV { return append([]KV{{"general.architecture", name}}, more...) }
	for _, c := range []struct {
		name    string
		kvs     []KV
		tensors []Tensor
		want    string // empty: may run
	}{
		{"decoder", arch("llama"), weights, ""},
		{"no architecture", nil, weights, "no string general.architecture"},
		{"encoder", arch("nomic-bert"), weights, "is an encoder"},
		{"encoder-decoder", arch("t5"), weights, "encoder-decoder"},
		{"diffusion", arch("dream"), weights, "diffusion"},
		{"image projector", arch("clip"), weights, "not a text model"},
		{"draft head", arch("eagle3"), weights, "only drafts"},
		{"unknown", arch("lama"), weights, "knows; the nearest are llama"},
		{"adapter", arch("llama", KV{"general.type", "adapter"}), weights, "LoRA adapter"},
		{"embedding model", arch("qwen3", KV{"qwen3.pooling_type", uint32(3)}), weights, "embedding model"},
		{"pooling unspecified", arch("qwen3", KV{"qwen3.pooling_type", uint32(1<<32 - 1)}), weights, ""},
		{"pooling none", arch("qwen3", KV{"qwen3.pooling_type", uint32(0)}), weights, ""},
		{"not causal", arch("llama", KV{"llama.attention.causal", false}), weights, "attention.causal is false"},
		{"vocabulary only", arch("llama"), nil, "no weights"},
	} {
		m, err := Open(writeModel(t, filepath.Join(t.TempDir(), "m.gguf"), c.kvs, c.tensors))
		if err != nil {
			t.Fatal(err)
		}
		err = m.Generative()
		if c.want == "" {
			if err != nil || !m.Info().Runnable {
				t.Errorf("%s is refused: %v", c.name, err)
			}
			continue
		}
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), m.Path) {
			t.Errorf("%s: error is %v", c.name, err)
		}
	}
}

// The lists must name exactly the architectures of the llama.cpp that is built. This package is tested from a bare
// checkout too, without C (CGO_ENABLED=0 go test): where nothing was fetched the test is skipped. make test has fetched it.
func TestArchitecturesAreThoseOfLlamaCpp(t *testing.T) {
	source, err := os.ReadFile("../third_party/llama.cpp/src/llama-arch.cpp")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("third_party/llama.cpp is not fetched: make build does it")
	}
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(source), "LLM_ARCH_NAMES = {")
	table, _, _ = strings.Cut(table, "};")
	var theirs []string
	for _, m := range regexp.MustCompile(`\{\s*LLM_ARCH_\w+,\s*"([^"]+)"`).FindAllStringSubmatch(table, -1) {
		if m[1] != "(unknown)" {
			theirs = append(theirs, m[1])
		}
	}
	ours := strings.Fields(strings.Join([]string{causalArchs, encoderArchs, encoderDecoderArchs, diffusionArchs, draftArchs, otherArchs}, " "))
	slices.Sort(theirs)
	slices.Sort(ours)
	if len(theirs) < 100 || !slices.Equal(ours, theirs) {
		t.Errorf("ours  %v\ntheirs %v", ours, theirs)
	}
}
