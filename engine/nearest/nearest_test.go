package nearest

import (
	"slices"
	"testing"
)

func TestNames(t *testing.T) {
	names := []string{"smollm2", "qwen3", "Llama-3.2-1B", "llama", "mistral", "id"}
	for name, want := range map[string][]string{
		"smolm2":  {"smollm2"},
		"LLAMA":   {"llama", "Llama-3.2-1B"},
		"lama":    {"Llama-3.2-1B", "llama"},
		"qwn3":    {"qwen3"},
		"di":      nil,
		"ie":      {"id"},
		"granite": nil,
		"":        nil,
	} {
		if got := Names(name, names); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
