package records

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExpand: a folder stands for its data, without what describes it; a pattern for its files.
func TestExpand(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.jsonl", "a.jsonl.zst", "README.txt", "notes.txt", "dataset_info.json", "c.arrow", ".hidden.jsonl", "sub/e/d.jsonl", "empty/README.md"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, nil, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	relative := func(paths []string) string {
		for i, p := range paths {
			paths[i] = strings.TrimPrefix(p, dir+"/")
		}
		return strings.Join(paths, " ")
	}
	files, ignored, err := Expand([]string{dir})
	if got := relative(files); err != nil || got != "a.jsonl.zst b.jsonl" {
		t.Errorf("a folder: %s, %v", got, err)
	}
	if got := relative(ignored); got != "README.txt c.arrow dataset_info.json notes.txt empty/ sub/ (a folder with data; give it too)" {
		t.Errorf("ignored: %s", got)
	}
	if files, _, err := Expand([]string{filepath.Join(dir, "[ab].*")}); err != nil || relative(files) != "a.jsonl.zst b.jsonl" {
		t.Errorf("a pattern: %v, %v", files, err)
	}
	if files, _, err := Expand([]string{filepath.Join(dir, "*.jsonl")}); err != nil || relative(files) != "b.jsonl" {
		t.Errorf("a pattern and hidden files: %v, %v", files, err)
	}
	if err := os.Symlink(filepath.Join(dir, "b.jsonl"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	disk := t.TempDir()
	if err := os.WriteFile(filepath.Join(disk, "data-00000-of-00001.arrow"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Expand([]string{disk}); err == nil || !strings.Contains(err.Error(), "load_from_disk") {
		t.Errorf("a saved data set: %v", err)
	}
	for _, paths := range [][]string{{filepath.Join(dir, "x*")}, {dir, filepath.Join(dir, "b.jsonl")}, {filepath.Join(dir, "b.jsonl", "x*")}, {""},
		{filepath.Join(dir, "b.jsonl"), filepath.Join(dir, "link")}, {filepath.Join(dir, "**", "*.jsonl")}} {
		if files, _, err := Expand(paths); err == nil {
			t.Errorf("%v: %v", paths, files)
		}
	}
}
