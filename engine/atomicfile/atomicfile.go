// Package atomicfile writes files that are whole or not there.
//
// A file is written under a temporary name in the folder where it belongs,
// brought to the disk, and renamed; then the folder is brought to the disk, so
// that the name survives a loss of power as well. Until the rename, a file that
// had the name before is untouched. A write that fails removes its temporary
// file. Only a process that is killed leaves one, which begins with a dot and
// ends in ".tmp".
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// WriteFile writes data to path, in place of a file that is there.
func WriteFile(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Write writes to path what write does, in place of a file that is there. What
// is written is buffered.
func Write(path string, write func(io.Writer) error) error {
	return WriteVia(temporary(path), path, write)
}

// WriteVia is Write under a temporary name that the caller chooses, in the
// folder of path. With a name that is always the same, a write goes over what a
// killed process left; then only one process at a time may write.
func WriteVia(tmp, path string, write func(io.Writer) error) error {
	return replace(tmp, path, func() (err error) {
		f, err := os.Create(tmp)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		buffered := bufio.NewWriterSize(f, 1<<18)
		if err := write(buffered); err != nil {
			return err
		}
		if err := buffered.Flush(); err != nil {
			return err
		}
		return f.Sync()
	})
}

// Replace calls create with the name of a temporary file, which is not there
// yet, and gives the file that create makes the name path. It is for writers
// that open a file by themselves.
func Replace(path string, create func(tmp string) error) error {
	tmp := temporary(path)
	return replace(tmp, path, func() error {
		if err := create(tmp); err != nil {
			return err
		}
		return syncFile(tmp)
	})
}

// replace runs write and renames tmp, which it removes after an error or a
// panic.
func replace(tmp, path string, write func() error) (err error) {
	done := false
	defer func() {
		if done {
			return
		}
		if gone := os.Remove(tmp); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if err := write(); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	done = true
	return SyncDir(filepath.Dir(path))
}

// temporary is a name beside path that no other writer has.
func temporary(path string) string {
	dir, base := filepath.Split(path)
	return filepath.Join(dir, fmt.Sprintf(".%s.%016x.tmp", base, rand.Uint64()))
}

// syncFile brings a file that was closed to the disk.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
