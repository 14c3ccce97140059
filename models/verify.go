package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"amend/models/testbed"
)

// SHA256 is the checksum of the model's bytes, in hexadecimal; of a split model, of its parts one after another.
// It reads everything once, in flat memory, and stops with ctx's error when ctx ends.
func (m *Model) SHA256(ctx context.Context) (string, error) {
	sum := sha256.New()
	for _, p := range m.Parts {
		if err := copyFile(ctx, sum, p.Path); err != nil {
			return "", fmt.Errorf("checksum of %s: %w", p.Path, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// copyFile writes a file to w in steps between which ctx is looked at.
func copyFile(ctx context.Context, w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	buf := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.Read(buf)
		if _, werr := w.Write(buf[:n]); werr != nil {
			return werr
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Verdict is the outcome of Verify on a sound file.
type Verdict struct {
	Path      string `json:"path"`
	SizeBytes uint64 `json:"size_bytes"`
	Parts     int    `json:"parts"`
	Tensors   int    `json:"tensors"`
	SHA256    string `json:"sha256"`
	// Expected is where the checksum to compare with came from: "--sha256", "known model NAME",
	// "huggingface blob", or "" when there is none and only the structure could be checked.
	Expected string `json:"expected_from"`
}

var hexSHA256 = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Verify checks the structure of a model and its checksum against want (hexadecimal), or if that is empty
// against what is known: the table of named models by file name, or the blob name in a Hugging Face cache.
// A difference, and a malformed file, give an error that matches ErrInvalid.
func Verify(ctx context.Context, path, want string) (Verdict, error) {
	source := "--sha256"
	want = strings.ToLower(want)
	if want == "" {
		want, source = expectedSHA256(path)
	} else if !hexSHA256.MatchString(want) {
		return Verdict{}, invalidf("--sha256 %q must be 64 hexadecimal digits", want)
	}
	m, err := Open(path)
	if err != nil {
		return Verdict{}, err
	}
	got, err := m.SHA256(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if want != "" && got != want {
		return Verdict{}, invalidf("%s: sha256 is %s, but must be %s (from %s): the file is damaged or another one", path, got, want, source)
	}
	return Verdict{Path: m.Path, SizeBytes: m.Size(), Parts: len(m.Parts), Tensors: m.tensors(), SHA256: got, Expected: source}, nil
}

// expectedSHA256 is the checksum that path should have, and who says so; both empty when nobody does.
func expectedSHA256(path string) (sum, source string) {
	if filepath.Base(path) == testbed.FileName && strings.HasPrefix(filepath.Base(filepath.Dir(path)), unpackedTo) {
		return testbed.SHA256(), "embedded model " + testbed.Name
	}
	for _, k := range KnownModels() {
		if filepath.Base(path) == k.File {
			return k.SHA256, "known model " + k.Name
		}
	}
	// In a Hugging Face cache, snapshots link to blobs that are named by their sha256.
	if target, err := os.Readlink(path); err == nil && splitName.FindString(filepath.Base(path)) == "" {
		if name := filepath.Base(target); hexSHA256.MatchString(name) {
			return name, "huggingface blob"
		}
	}
	// Ollama names files by their sha256.
	if name, ok := strings.CutPrefix(filepath.Base(path), ollamaPrefix); ok && hexSHA256.MatchString(name) {
		return name, "ollama blob"
	}
	return "", ""
}
