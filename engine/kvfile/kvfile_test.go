package kvfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

const (
	aKey     = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	otherKey = "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
)

func TestWhatWasSavedIsLoaded(t *testing.T) {
	dir := Dir(filepath.Join(t.TempDir(), "made", "when needed"))
	if _, err := dir.Get(aKey); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing was saved: %v", err)
	}
	rapid.Check(t, func(t *rapid.T) {
		state := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "state") // each replaces the last
		if err := dir.Put(aKey, state); err != nil {
			t.Fatal(err)
		}
		got, err := dir.Get(aKey)
		if err != nil || !bytes.Equal(got, state) {
			t.Errorf("%x, %v, want %x", got, err, state)
		}
		if _, err := dir.Get(otherKey); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("another key: %v", err)
		}
	})
	onlyFiles(t, dir, 1)
}

// onlyFiles wants n files, all of them under their names.
func onlyFiles(t *testing.T, dir Dir, n int) {
	t.Helper()
	entries, err := os.ReadDir(string(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != extension {
			t.Errorf("%s was left behind", e.Name())
		}
	}
	if len(entries) != n {
		t.Errorf("%d files, want %d", len(entries), n)
	}
}

// encoded is the file of a state.
func encoded(t *testing.T, key string, state []byte) []byte {
	t.Helper()
	id, err := parseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(header(id, state), state...)
}

// TestDamageIsFound: every byte flipped, every length, and sound files that
// are not this one.
func TestDamageIsFound(t *testing.T) {
	dir := Dir(t.TempDir())
	sound := encoded(t, aKey, []byte("a state of a few bytes"))
	refused := func(what string, file []byte) {
		if err := os.WriteFile(dir.path(aKey), file, 0o644); err != nil {
			t.Fatal(err)
		}
		if state, err := dir.Get(aKey); !errors.Is(err, ErrInvalid) || state != nil {
			t.Errorf("%s: %q, %v", what, state, err)
		}
	}
	for i := range sound {
		for _, flip := range []byte{1, 0x80} {
			b := slices.Clone(sound)
			b[i] ^= flip
			refused("a flipped byte", b)
		}
		refused("a file that was cut", sound[:i])
	}
	refused("a longer file", append(slices.Clone(sound), 0))
	refused("a file of another key", encoded(t, otherKey, []byte("a state of a few bytes")))
	for _, n := range []uint64{0, 1 << 40, 1<<64 - 1} {
		b := slices.Clone(sound)
		binary.LittleEndian.PutUint64(b[12:], n)
		refused("a length that is not the file's", b)
	}
	if err := os.WriteFile(dir.path(aKey), sound, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Get(aKey); err != nil {
		t.Errorf("the sound file: %v", err)
	}
}

func TestKeysAreHexDigitsOnly(t *testing.T) {
	dir := Dir(t.TempDir())
	for _, key := range []string{"", "../" + aKey[3:], aKey[1:], aKey + "00", strings.Repeat("g", 64)} {
		_, err := dir.Get(key)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("load %q: %v", key, err)
		}
		if err := dir.Put(key, nil); err == nil {
			t.Errorf("save %q: no error", key)
		}
	}
	onlyFiles(t, dir, 0)
}

// TestFailedSaveLeavesNothingNew: a folder that cannot be made, and a name
// that is taken by a folder.
func TestFailedSaveLeavesNothingNew(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Dir(file).Put(aKey, []byte("x")); err == nil {
		t.Error("saved below a file")
	}
	if _, err := Dir(file).Get(aKey); err == nil {
		t.Error("loaded from below a file")
	}
	dir := Dir(t.TempDir())
	if err := os.MkdirAll(filepath.Join(dir.path(aKey), "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := dir.Put(aKey, []byte("x")); err == nil {
		t.Error("saved over a folder")
	}
	if _, err := dir.Get(aKey); !errors.Is(err, ErrInvalid) {
		t.Errorf("loaded a folder: %v", err)
	}
	onlyFiles(t, dir, 1)
}

// TestManyAtOnce: whoever loads sees one whole state or another.
func TestManyAtOnce(t *testing.T) {
	dir := Dir(t.TempDir())
	states := [][]byte{bytes.Repeat([]byte("a"), 5000), bytes.Repeat([]byte("b"), 7000)}
	if err := dir.Put(aKey, states[0]); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for _, state := range states {
		all.Go(func() {
			for range 10 {
				if err := dir.Put(aKey, state); err != nil {
					t.Error(err)
				}
				got, err := dir.Get(aKey)
				if err != nil || (!bytes.Equal(got, states[0]) && !bytes.Equal(got, states[1])) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			}
		})
	}
	all.Wait()
	onlyFiles(t, dir, 1)
}

// FuzzRead: a file is accepted only when it is what Put writes for its state.
func FuzzRead(f *testing.F) {
	id, err := parseKey(aKey)
	if err != nil {
		f.Fatal(err)
	}
	sound := append(header(id, []byte("state")), "state"...)
	f.Add(sound)
	f.Add(sound[:headerSize])
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, file []byte) {
		state, err := read(bytes.NewReader(file), int64(len(file)), id)
		if err == nil && !bytes.Equal(file, append(header(id, state), state...)) {
			t.Errorf("accepted %x", file)
		}
		if err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%v", err)
		}
	})
}
