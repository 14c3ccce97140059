package models

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// file writes an empty file of that size.
func file(t *testing.T, size uint64, path ...string) string {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, int64(size)); err != nil { // a sparse file: no disk space
		t.Fatal(err)
	}
	return name
}

// place makes the caches of a machine with two AMEND_MODELS directories.
func place(t *testing.T) Caches {
	dir := t.TempDir()
	return Caches{Extra: []string{filepath.Join(dir, "first"), filepath.Join(dir, "second")}, Own: filepath.Join(dir, "own"), HF: filepath.Join(dir, "hub[1]")}
}

func TestResolveKnownModel(t *testing.T) {
	k, c := KnownModels()[0], place(t)
	_, err := c.Resolve(k.Name)
	if !errors.Is(err, ErrInvalid) {
		t.Fatalf("absent: %v", err)
	}
	for _, want := range []string{"`make models`", filepath.Join(c.Extra[0], k.File), filepath.Join(c.Own, k.File)} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %s: %v", want, err)
		}
	}
	own := file(t, k.Size, c.Own, k.File)
	if got, err := c.Resolve(k.Name); got != own || err != nil {
		t.Errorf("resolves to %s, %v", got, err)
	}
	if got, err := c.Resolve("SmolLM2-135M-Instruct.Q4_1"); got != own || err != nil {
		t.Errorf("by the name of its file it resolves to %s, %v", got, err)
	}
	if names := c.NamesAtHand(); !slices.Equal(names, []string{"testbed", "smollm2"}) {
		t.Errorf("names at hand: %q", names)
	}
	file(t, k.Size-1, c.Extra[0], k.File)
	if got, err := c.Resolve(k.Name); got != own || err != nil {
		t.Errorf("a file cut short is taken: %s, %v", got, err)
	}
	second := file(t, k.Size, c.Extra[1], k.File)
	if got, err := c.Resolve(k.Name); got != second || err != nil {
		t.Errorf("AMEND_MODELS does not go first: %s, %v", got, err)
	}
	if err := errors.Join(os.Remove(own), os.Remove(second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Resolve(k.Name); err == nil || !strings.Contains(err.Error(), "has 98362431 bytes instead of 98362432") {
		t.Errorf("a damaged file gives %v", err)
	}
}

func TestResolvePathsAndNames(t *testing.T) {
	c := place(t)
	plain := file(t, 1, t.TempDir(), "weights.bin")
	file(t, 1, c.Own, "Qwen2.5-0.5B-Q8_0.gguf")
	split := file(t, 1, c.Own, "big-00001-of-00002.gguf")
	file(t, 1, c.Own, "big-00002-of-00002.gguf")
	for name, want := range map[string]string{
		plain:                    plain,
		"Qwen2.5-0.5B-Q8_0":      filepath.Join(c.Own, "Qwen2.5-0.5B-Q8_0.gguf"),
		"Qwen2.5-0.5B-Q8_0.gguf": filepath.Join(c.Own, "Qwen2.5-0.5B-Q8_0.gguf"),
		"big":                    split,
	} {
		if got, err := c.Resolve(name); got != want || err != nil {
			t.Errorf("%s resolves to %s, %v", name, got, err)
		}
	}
	for name, want := range map[string][]string{
		"qwen":                {"neither a file nor a known name", "nearest are Qwen2.5-0.5B-Q8_0", "smollm2, Qwen2.5-0.5B-Q8_0, big", c.Own},
		"smolm2":              {"nearest are smollm2"},
		"./qwen2.5-0.5b.gguf": {"model file ./qwen2.5-0.5b.gguf does not exist", "nearest are Qwen2.5-0.5B-Q8_0"},
		c.Own:                 {"is a directory"},
	} {
		_, err := c.Resolve(name)
		if !errors.Is(err, ErrInvalid) {
			t.Fatalf("%s: %v", name, err)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: error does not say %q: %v", name, w, err)
			}
		}
	}
}

func TestCachesFrom(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		want Caches
	}{
		{"home alone", map[string]string{"HOME": "/h"}, Caches{Own: "/h/.cache/amend/models", HF: "/h/.cache/huggingface/hub"}},
		{"XDG", map[string]string{"HOME": "/h", "XDG_CACHE_HOME": "/x"}, Caches{Own: "/x/amend/models", HF: "/x/huggingface/hub"}},
		{"relative XDG does not count", map[string]string{"HOME": "/h", "XDG_CACHE_HOME": "x"}, Caches{Own: "/h/.cache/amend/models", HF: "/h/.cache/huggingface/hub"}},
		{"HF_HOME", map[string]string{"HOME": "/h", "HF_HOME": "/f"}, Caches{Own: "/h/.cache/amend/models", HF: "/f/hub"}},
		{"HF_HUB_CACHE goes first", map[string]string{"HOME": "/h", "HF_HOME": "/f", "HF_HUB_CACHE": "/c"}, Caches{Own: "/h/.cache/amend/models", HF: "/c"}},
		{"nothing set", nil, Caches{}},
		{"two directories", map[string]string{"AMEND_MODELS": "/a::/b"}, Caches{Extra: []string{"/a", "/b"}}},
		{"OLLAMA_MODELS", map[string]string{"OLLAMA_MODELS": "/o"}, Caches{Ollama: []string{"/o"}}},
	} {
		if c.env["HOME"] != "" {
			c.want.Ollama, c.want.LMStudio = []string{"/h/.ollama/models", ollamaService}, "/h/.lmstudio/models"
		}
		if got := CachesFrom(func(k string) string { return c.env[k] }); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// The name of a file leads to the one model that has it, with .gguf or without, split or not.
func TestResolveByFile(t *testing.T) {
	c := place(t)
	hub := func(repo, file string) []string { return []string{c.HF, "models--" + repo, "snapshots", "1", file} }
	llama := file(t, 1, hub("org--repo", "Llama-3.2-3B-Instruct-Q4_K_M.gguf")...)
	file(t, 1, c.HF, "models--org--repo", "snapshots", "2", "Llama-3.2-3B-Instruct-Q4_K_M.gguf") // another revision
	split := file(t, 1, hub("org--large", "big-00001-of-00002.gguf")...)
	file(t, 1, hub("org--large", "big-00002-of-00002.gguf")...)
	file(t, 1, hub("a--repo", "twice.gguf")...)
	file(t, 1, hub("b--repo", "twice.gguf")...)
	for name, want := range map[string]string{
		"Llama-3.2-3B-Instruct-Q4_K_M": llama, "Llama-3.2-3B-Instruct-Q4_K_M.gguf": llama, "org/repo/Llama-3.2-3B-Instruct-Q4_K_M.gguf": llama,
		"big": split, "big.gguf": split, "big-00001-of-00002.gguf": split,
	} {
		if got, err := c.Resolve(name); got != want || err != nil {
			t.Errorf("%s resolves to %s, %v; want %s", name, got, err, want)
		}
	}
	if _, err := c.Resolve("twice"); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "give one of a/repo/twice, b/repo/twice") {
		t.Errorf("a file of two models: %v", err)
	}
	for _, f := range c.Names() {
		if _, err := c.Resolve(f.Name); err != nil {
			t.Errorf("%s is listed and not found: %v", f.Name, err)
		}
	}
}

// Names of other programs' models lead to their files: Ollama's by manifests, LM Studio's by folders.
func TestResolveOtherPrograms(t *testing.T) {
	c := place(t)
	dir := t.TempDir()
	c.Ollama, c.LMStudio = []string{filepath.Join(dir, "none"), filepath.Join(dir, "ollama")}, filepath.Join(dir, "lmstudio")
	sum := strings.Repeat("b", 64)
	blob := file(t, 1, c.Ollama[1], "blobs", "sha256-"+sum)
	manifest := func(digest string, path ...string) {
		t.Helper()
		text := `{"layers":[{"mediaType":"application/vnd.ollama.image.license","digest":"sha256:0"},{"mediaType":"application/vnd.ollama.image.model","digest":"` + digest + `"}]}`
		if err := os.WriteFile(file(t, 0, append([]string{c.Ollama[1], "manifests"}, path...)...), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	manifest("sha256:"+sum, "registry.ollama.ai", "library", "qwen2.5", "7b")
	manifest("sha256:"+sum, "registry.ollama.ai", "library", "qwen2.5", "latest")
	manifest("sha256:"+sum, "registry.ollama.ai", "someone", "mine", "q4")
	manifest("sha256:"+sum, "hf.co", "org", "repo", "Q4_K_M")
	manifest("sha256:"+strings.Repeat("c", 64), "registry.ollama.ai", "library", "gone", "latest")
	manifest("sha256:../../../"+sum, "registry.ollama.ai", "library", "outside", "latest")
	studio := file(t, 1, c.LMStudio, "org", "repo", "m-Q4_K_M.gguf")
	file(t, 1, c.LMStudio, "org", "repo", "mmproj-m.gguf")
	for name, want := range map[string]string{
		"qwen2.5:7b": blob, "qwen2.5": blob, "someone/mine:q4": blob, "hf.co/org/repo:Q4_K_M": blob, "org/repo/m-Q4_K_M": studio,
	} {
		if got, err := c.Resolve(name); got != want || err != nil {
			t.Errorf("%s resolves to %s, %v", name, got, err)
		}
	}
	var names []string
	for _, f := range c.Names() {
		names = append(names, f.Source+" "+f.Name)
	}
	want := []string{"ollama hf.co/org/repo:Q4_K_M", "ollama qwen2.5:7b", "ollama qwen2.5:latest", "ollama someone/mine:q4", "lmstudio org/repo/m-Q4_K_M"}
	if !slices.Equal(names, want) {
		t.Errorf("listed %q, want %q", names, want)
	}
	// In runs of before another folder may hold the file: its name says which it is.
	for path, want := range map[string]string{blob: "hf.co/org/repo:Q4_K_M", "/elsewhere/sha256-" + sum: "hf.co/org/repo:Q4_K_M", studio: studio, "sha256-0": "sha256-0"} {
		if got := c.Shown(path); got != want {
			t.Errorf("%s is shown as %s, want %s", path, got, want)
		}
	}
	if sum, by := expectedSHA256(blob); sum != strings.Repeat("b", 64) || by != "ollama blob" {
		t.Errorf("the checksum of an Ollama file is %s by %s", sum, by)
	}
}

func TestListShowsEveryCache(t *testing.T) {
	c := place(t)
	writeModel(t, filepath.Join(c.Extra[1], "good.gguf"), []KV{{"general.architecture", "llama"}}, []Tensor{{Name: "a", Dims: []uint64{8}}})
	file(t, 4, c.Own, "broken.gguf")
	file(t, 4, c.Own, "notes.txt")
	blob := writeModel(t, filepath.Join(c.HF, "models--org--repo", "blobs", strings.Repeat("a", 64)), []KV{{"general.architecture", "bert"}}, nil)
	link := filepath.Join(c.HF, "models--org--repo", "snapshots", "abc", "sub", "enc.gguf")
	dangling := filepath.Join(filepath.Dir(link), "gone.gguf")
	if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o755), os.Symlink(blob, link), os.Symlink("nowhere", dangling)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range c.List() {
		state := f.Fault
		if f.Info != nil {
			state = f.Info.Architecture
		}
		got = append(got, f.Source+" "+f.Name+": "+state)
	}
	want := []string{"embedded testbed: llama", "AMEND_MODELS good: llama", "amend broken: ", "huggingface org/repo/enc: bert", "huggingface org/repo/gone: "}
	if len(got) != len(want) {
		t.Fatalf("listed %q", got)
	}
	for _, w := range want {
		if !slices.ContainsFunc(got, func(g string) bool { return strings.HasPrefix(g, w) }) {
			t.Errorf("no %q in %q", w, got)
		}
	}
	if path, err := c.Resolve("org/repo/enc"); path != link || err != nil {
		t.Errorf("a listed name resolves to %s, %v", path, err)
	}
}

// `make models` fetches what third_party/smollm2.env pins; the name must mean the same file.
func TestKnownModelIsWhatMakeFetches(t *testing.T) {
	pins, err := os.ReadFile("../third_party/smollm2.env")
	if err != nil {
		t.Fatal(err)
	}
	k := KnownModels()[0]
	for _, want := range []string{k.File, k.SHA256} {
		if !strings.Contains(string(pins), want) {
			t.Errorf("third_party/smollm2.env does not name %s", want)
		}
	}
}
