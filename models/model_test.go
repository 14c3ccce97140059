package models

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// splitModel writes a model of three parts and returns the directory. change may alter a part's metadata.
func splitModel(t *testing.T, change func(part int, kvs []KV) []KV) string {
	t.Helper()
	dir := t.TempDir()
	for i, tensor := range []string{"token_embd.weight", "blk.0.attn_q.weight", "output.weight"} {
		kvs := []KV{{"split.no", uint16(i)}, {"split.count", uint16(3)}, {"split.tensors.count", int32(3)}}
		if i == 0 {
			kvs = append(kvs, KV{"general.architecture", "llama"}, KV{"llama.block_count", uint32(1)})
		}
		if change != nil {
			kvs = change(i, kvs)
		}
		writeModel(t, partPath(dir, i), kvs, []Tensor{{Name: tensor, Dims: []uint64{32, 2}, Type: Q8_0}})
	}
	return dir
}

func partPath(dir string, i int) string {
	return filepath.Join(dir, []string{"m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"}[i])
}

func TestOpenFindsAllParts(t *testing.T) {
	dir := splitModel(t, nil)
	for i := range 3 {
		m, err := Open(partPath(dir, i))
		if err != nil {
			t.Fatal(err)
		}
		info := m.Info()
		if m.Path != partPath(dir, 0) || info.Parts != 3 || info.Parameters != 3*64 || info.TensorTypes[0].Tensors != 3 || info.TiedEmbeddings || !info.Runnable {
			t.Errorf("part %d opens as %s: %+v", i, m.Path, info)
		}
	}
}

func TestOpenNamesTheMissingPart(t *testing.T) {
	dir := splitModel(t, nil)
	if err := os.Remove(partPath(dir, 1)); err != nil {
		t.Fatal(err)
	}
	_, err := Open(partPath(dir, 0))
	if !errors.Is(err, ErrInvalid) || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), partPath(dir, 1)+", part 2 of 3") {
		t.Errorf("error is %v", err)
	}
}

func TestOpenChecksThatPartsBelongTogether(t *testing.T) {
	set := func(part int, key string, value any) func(int, []KV) []KV {
		return func(i int, kvs []KV) []KV {
			for j := range kvs {
				if i == part && kvs[j].Key == key {
					kvs[j].Value = value
				}
			}
			return kvs
		}
	}
	for name, change := range map[string]func(int, []KV) []KV{
		"split.no":            set(1, "split.no", uint16(2)),
		"split.count":         set(2, "split.count", uint16(4)),
		"split.tensors.count": set(0, "split.tensors.count", int32(4)),
		"says 00003 parts":    set(0, "split.count", uint16(5)),
	} {
		_, err := Open(partPath(splitModel(t, change), 0))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	dir := splitModel(t, nil)
	if err := os.Rename(partPath(dir, 0), filepath.Join(dir, "renamed.gguf")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(dir, "renamed.gguf")); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "not named") {
		t.Errorf("a renamed part gives %v", err)
	}
}

func TestKVBytesPerToken(t *testing.T) {
	base := []KV{{"general.architecture", "x"}, {"x.block_count", uint32(3)}, {"x.embedding_length", uint32(64)}, {"x.attention.head_count", uint32(4)}}
	for _, c := range []struct {
		name string
		add  []KV
		want uint64
	}{
		{"as many KV heads as heads", nil, 3 * 4 * (16 + 16) * 2},
		{"grouped", []KV{{"x.attention.head_count_kv", uint32(2)}}, 3 * 2 * 32 * 2},
		{"hybrid: layers without attention", []KV{{"x.attention.head_count_kv", []int32{0, 2, 0}}}, 2 * 32 * 2},
		{"own head sizes", []KV{{"x.attention.key_length", uint32(24)}, {"x.attention.value_length", uint32(8)}}, 3 * 4 * 32 * 2},
		{"latent attention keeps no values", []KV{{"x.attention.head_count_kv", uint32(1)}, {"x.attention.key_length", uint32(576)}, {"x.attention.key_length_mla", uint32(192)}}, 3 * 576 * 2},
	} {
		m, err := Open(writeModel(t, filepath.Join(t.TempDir(), "m.gguf"), append(base[:len(base):len(base)], c.add...), nil))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Info().KVBytesPerToken; got != c.want {
			t.Errorf("%s: %d bytes, want %d", c.name, got, c.want)
		}
	}
}
