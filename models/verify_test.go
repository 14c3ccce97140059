package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVerify(t *testing.T) {
	ctx := t.Context()
	path := writeModel(t, filepath.Join(t.TempDir(), "m.gguf"), []KV{{"general.architecture", "llama"}}, []Tensor{{Name: "a", Dims: []uint64{8}}})
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(bytes)
	sum := hex.EncodeToString(digest[:])

	v, err := Verify(ctx, path, "")
	if err != nil || v.SHA256 != sum || v.Expected != "" || v.Tensors != 1 || v.SizeBytes != uint64(len(bytes)) {
		t.Errorf("verified %+v, %v", v, err)
	}
	if v, err := Verify(ctx, path, strings.ToUpper(sum)); err != nil || v.Expected != "--sha256" {
		t.Errorf("with the right checksum: %+v, %v", v, err)
	}
	other := strings.Repeat("0", 64)
	if _, err := Verify(ctx, path, other); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), sum) || !strings.Contains(err.Error(), other) {
		t.Errorf("with the wrong checksum: %v", err)
	}
	if _, err := Verify(ctx, path, "b179"); !errors.Is(err, ErrInvalid) {
		t.Errorf("with half a checksum: %v", err)
	}

	// A Hugging Face cache names its blobs by their checksum; a known file name has its own.
	link := filepath.Join(t.TempDir(), "m.gguf")
	blob := filepath.Join(filepath.Dir(link), sum)
	if err := errors.Join(os.Rename(path, blob), os.Symlink(blob, link)); err != nil {
		t.Fatal(err)
	}
	if v, err := Verify(ctx, link, ""); err != nil || v.Expected != "huggingface blob" {
		t.Errorf("through a link: %+v, %v", v, err)
	}
	fake := filepath.Join(t.TempDir(), KnownModels()[0].File)
	if err := os.Rename(blob, fake); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(ctx, fake, ""); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), KnownModels()[0].SHA256) {
		t.Errorf("another file under the known name: %v", err)
	}

	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Verify(cancelled, fake, sum); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestSHA256OfASplitModelCoversAllParts(t *testing.T) {
	dir := splitModel(t, nil)
	sum := func() string {
		m, err := Open(partPath(dir, 0))
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.SHA256(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := sum()
	last, err := os.ReadFile(partPath(dir, 2))
	if err != nil {
		t.Fatal(err)
	}
	last[len(last)-1]++
	if err := os.WriteFile(partPath(dir, 2), last, 0o600); err != nil {
		t.Fatal(err)
	}
	if sum() == before {
		t.Error("a changed byte in the last part does not change the checksum")
	}
}
