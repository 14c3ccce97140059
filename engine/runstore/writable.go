package runstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Writable reports whether a run can be written to dir, before anything is computed: dir holds nothing else, and folders can be
// made there. It leaves nothing. Errors match ErrNotARun where there are other files.
func Writable(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil:
		if err := checkEntries(dir, entries); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open run: %w", err)
	}
	above := filepath.Clean(dir) // the deepest folder that is there
	for above != filepath.Dir(above) {
		if _, err := os.Stat(above); err == nil {
			break
		}
		above = filepath.Dir(above)
	}
	probe, err := os.MkdirTemp(above, ".amend-")
	if err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EROFS) {
			return fmt.Errorf("no folder can be made in %s: %w", above, errors.Unwrap(err))
		}
		return nil // a full disk is another matter: such a run can be continued
	}
	return os.Remove(probe)
}

// checkEntries reports a folder that has other files than a run's.
func checkEntries(dir string, entries []fs.DirEntry) error {
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if slices.Contains(names, ManifestFile) {
		return nil
	}
	// A process that died early leaves these, and so does the run of first responses; anything else is somebody's.
	ours := []string{lockFile, ManifestFile, ConstitutionFile, SettingsFile, ResponsesDir}
	for _, name := range names {
		if !slices.Contains(ours, strings.TrimSuffix(name, tmpSuffix)) {
			return fmt.Errorf("%s is %w: it has other files (%s …) and no %s; give a new or an empty folder", dir, ErrNotARun, name, ManifestFile)
		}
	}
	return nil
}
