package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

var errWrite = errors.New("no")

// TestFailedWriteLeavesTheOldFile: whatever fails, and a panic too, the file is
// as it was and there is no other.
func TestFailedWriteLeavesTheOldFile(t *testing.T) {
	for name, write := range map[string]func(path string) error{
		"write": func(path string) error {
			return Write(path, func(w io.Writer) error {
				_, err := io.WriteString(w, "new")
				return errors.Join(err, errWrite)
			})
		},
		"create": func(path string) error {
			return Replace(path, func(tmp string) error {
				return errors.Join(os.WriteFile(tmp, []byte("new"), 0o600), errWrite)
			})
		},
		"panic": func(path string) (err error) {
			defer func() { err = recover().(error) }()
			return Write(path, func(io.Writer) error { panic(errWrite) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			if err := WriteFile(path, []byte("old")); err != nil {
				t.Fatal(err)
			}
			if err := write(path); !errors.Is(err, errWrite) {
				t.Errorf("error %v, want the writer's", err)
			}
			holds(t, dir, "old")
		})
	}
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, text := range []string{"one", "two"} {
		err := Replace(path, func(tmp string) error {
			if _, err := os.Stat(tmp); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is there already: %v", tmp, err)
			}
			return os.WriteFile(tmp, []byte(text), 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
		holds(t, dir, text)
	}
	if err := Replace(path, func(string) error { return nil }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing was created: %v", err)
	}
	holds(t, dir, "two")
}

// TestWriteViaGoesOverWhatIsThere: a fixed temporary name is free after a crash.
func TestWriteViaGoesOverWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path+".tmp", []byte("of a process that was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := WriteVia(path+".tmp", path, func(w io.Writer) error {
		_, err := io.WriteString(w, "new")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, dir, "new")
}

// holds wants one file in dir, of this text.
func holds(t *testing.T, dir, text string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v, want one file", entries, err)
	}
	got, err := os.ReadFile(filepath.Join(dir, entries[0].Name()))
	if err != nil || string(got) != text {
		t.Errorf("%q, %v, want %q", got, err, text)
	}
}
