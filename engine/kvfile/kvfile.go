// Package kvfile keeps saved KV sequences in a folder, one file for each key.
// A file is checked whole before a byte of it is handed out, since llama.cpp
// believes the numbers in a state that it reads.
//
// A file, numbers little-endian:
//
//	 0  8  magic
//	 8  4  version of this layout
//	12  8  length of the state
//	20 32  key
//	52 32  SHA-256 of the state
//	84     the state
package kvfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"amend/engine/atomicfile"
)

const (
	magic      = "amendKV\n"
	version    = 2 // 1 had a header of llama.cpp's states within
	headerSize = 84
	extension  = ".kv"
)

// ErrInvalid is returned by Get for a file that is not, byte for byte, one
// that Put wrote for the key.
var ErrInvalid = errors.New("not a sound KV file")

// Dir is the path of a folder of files. Put makes it when it is not there.
// Several processes may use one folder at once: a file appears under its name
// only when it is complete, and the last of two wins.
type Dir string

// Get returns the state that was saved under key, 64 hex digits. The error
// wraps fs.ErrNotExist when there is none, and ErrInvalid when the file is
// damaged, of another version or not one of ours.
func (d Dir) Get(key string) ([]byte, error) {
	id, err := parseKey(key)
	if err != nil {
		return nil, err
	}
	path := d.path(key)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for its other end
		return nil, fmt.Errorf("%s: %w: it is no regular file", path, ErrInvalid)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	state, err := read(f, info.Size(), id)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return state, nil
}

// Put keeps a state under key, in place of what was there. After an error
// what was there is still there.
func (d Dir) Put(key string, state []byte) error {
	id, err := parseKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return fmt.Errorf("making the folder of KV files: %w", err)
	}
	err = atomicfile.Write(d.path(key), func(w io.Writer) error {
		_, err := w.Write(header(id, state))
		if err == nil {
			_, err = w.Write(state)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("saving a KV file of %d MiB: %w", len(state)>>20, err)
	}
	return nil
}

func (d Dir) path(key string) string { return filepath.Join(string(d), key+extension) }

// parseKey keeps anything that is not a key out of a file's name.
func parseKey(key string) (id [sha256.Size]byte, err error) {
	b, err := hex.DecodeString(key)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("the key %q of a KV file must be %d hex digits", key, 2*len(id))
	}
	return [sha256.Size]byte(b), nil
}

// header is what stands before a state.
func header(id [sha256.Size]byte, state []byte) []byte {
	h := make([]byte, 0, headerSize)
	h = append(h, magic...)
	h = binary.LittleEndian.AppendUint32(h, version)
	h = binary.LittleEndian.AppendUint64(h, uint64(len(state)))
	h = append(h, id[:]...)
	sum := sha256.Sum256(state)
	return append(h, sum[:]...)
}

// read checks a file of size bytes and returns its state. It takes no more
// memory than the file has bytes, whatever its header says.
func read(r io.Reader, size int64, id [sha256.Size]byte) ([]byte, error) {
	if size < headerSize {
		return nil, fmt.Errorf("%w: it ends within its header", ErrInvalid)
	}
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, short(err, "it ends within its header")
	}
	if string(h[:8]) != magic {
		return nil, fmt.Errorf("%w: it does not begin as one", ErrInvalid)
	}
	if v := binary.LittleEndian.Uint32(h[8:]); v != version {
		return nil, fmt.Errorf("%w: it has version %d, and this is version %d", ErrInvalid, v, version)
	}
	if n := binary.LittleEndian.Uint64(h[12:]); n != uint64(size-headerSize) {
		return nil, fmt.Errorf("%w: it names a state of %d bytes, and has %d", ErrInvalid, n, size-headerSize)
	}
	if !bytes.Equal(h[20:52], id[:]) {
		return nil, fmt.Errorf("%w: it was saved under another key", ErrInvalid)
	}
	state := make([]byte, size-headerSize)
	if _, err := io.ReadFull(r, state); err != nil {
		return nil, short(err, "it ends within its state")
	}
	if sum := sha256.Sum256(state); !bytes.Equal(h[52:], sum[:]) {
		return nil, fmt.Errorf("%w: it is damaged (SHA-256)", ErrInvalid)
	}
	return state, nil
}

// short tells a file that is too short from one that cannot be read.
func short(err error, why string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %s", ErrInvalid, why)
	}
	return err
}
