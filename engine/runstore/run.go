// Package runstore keeps the finished rows of a run in a directory:
//
//	manifest.json    what made the run: inputs, settings, versions, machine
//	rows.jsonl       a line for each finished row, its whole trace, in the order of finishing
//	revisions.jsonl  final revisions ready for fine-tuning, in input order; written by Finish
//	failed.jsonl     rows that failed and why, if any did; written by Finish
//	lock             held by the process that writes; the file stays, the lock does not
//
// A row is done when its line is on disk (fsync), and not before: what Done reports survives a crash of
// process and machine. Files that are written whole appear under their names only when complete. One
// process writes; any number may Read meanwhile.
package runstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"amend/engine/revise"
)

// Names of the files in a run directory.
const (
	ManifestFile  = "manifest.json"
	RowsFile      = "rows.jsonl"
	RevisionsFile = "revisions.jsonl"
	FailedFile    = "failed.jsonl"
	// ConstitutionFile is the constitution as it was composed for the run.
	ConstitutionFile = "constitution.yaml"
	lockFile         = "lock"
	tmpSuffix        = ".tmp"
)

// ErrNotARun is matched (errors.Is) when a path holds no run: there is no such directory, or no manifest in
// it, or it holds other files.
var ErrNotARun = errors.New("not a run directory")

// Run is a run directory open for writing. Its methods may be called from many goroutines.
type Run struct {
	dir      string
	manifest Manifest
	lock     *os.File

	mu   sync.Mutex
	file *os.File // rows.jsonl
	list rowList
	done map[string]bool
	// failure is the first error of the disk. After a failed write or fsync nobody knows what the file
	// holds, so nothing is appended any more; the next Open finds out.
	failure error
}

// Open creates a run in dir, with its parents, or continues the one that is there.
//
// Warnings are to be shown to the user: a row that was cut off because its writing never finished, or
// recorded settings that differ from those the run was begun with. Errors are a *LockedError while another
// process has the run open, a *ChangedError where m would alter results, one that matches ErrNotARun where
// dir holds other files, and those of the disk. The caller calls Close.
func Open(dir string, m Manifest) (run *Run, warnings []string, err error) {
	if err := prepare(dir); err != nil {
		return nil, nil, err
	}
	lock, err := acquire(dir)
	if err != nil {
		return nil, nil, err
	}
	r := &Run{dir: dir, lock: lock, done: map[string]bool{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
			run = nil
		}
	}()
	note, err := r.settle(m)
	if err != nil {
		return nil, nil, err
	}
	torn, err := r.openRows()
	if err != nil {
		return nil, nil, err
	}
	for _, w := range []string{note, torn} {
		if w != "" {
			warnings = append(warnings, w)
		}
	}
	return r, warnings, nil
}

// KeepConstitution writes the composed constitution of a new run. A run that has one keeps it.
func (r *Run) KeepConstitution(text []byte) error {
	path := filepath.Join(r.dir, ConstitutionFile)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return writeWhole(path, text)
}

// prepare makes the directory, or sees that the one that is there may be used.
func prepare(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return fmt.Errorf("create run: %w", err)
		}
		return syncDir(filepath.Dir(filepath.Clean(dir)))
	}
	if err != nil {
		return fmt.Errorf("open run: %w", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if slices.Contains(names, ManifestFile) {
		return nil
	}
	// A process that died early leaves these; anything else is somebody's.
	for _, name := range names {
		if name != lockFile && name != ManifestFile+tmpSuffix {
			return fmt.Errorf("%s is %w: it has other files (%s …) and no %s; give a new or an empty folder", dir, ErrNotARun, name, ManifestFile)
		}
	}
	return nil
}

// settle writes the manifest of a new run, or compares that of an old one with m.
func (r *Run) settle(m Manifest) (note string, err error) {
	old, err := readManifest(r.dir)
	if errors.Is(err, ErrNotARun) {
		m.Format = Format
		return "", r.writeManifest(m)
	}
	if err != nil {
		return "", err
	}
	r.manifest = old
	setup := changes(old.Setup, m.Setup)
	if c := changes(old.Results, m.Results); len(c) > 0 {
		return "", &ChangedError{Dir: r.dir, Changes: c, Setup: setup}
	}
	if len(setup) == 0 {
		return "", nil
	}
	var lines []string
	for _, c := range setup {
		lines = append(lines, c.String())
	}
	return r.dir + " was begun with another set-up, which does not alter its rows: " + strings.Join(lines, "; "), nil
}

func (r *Run) writeManifest(m Manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	if err := writeWhole(filepath.Join(r.dir, ManifestFile), append(text, '\n')); err != nil {
		return err
	}
	r.manifest = m
	return nil
}

// Measure records in the manifest what was measured to choose settings.
func (r *Run) Measure(m Measured) error {
	manifest := r.manifest
	manifest.Measured = m
	if err := r.writeManifest(manifest); err != nil {
		return fmt.Errorf("recording what was measured: %w", err)
	}
	return nil
}

// openRows opens rows.jsonl and cuts off what a killed process left of its last row.
func (r *Run) openRows() (warning string, err error) {
	path := filepath.Join(r.dir, RowsFile)
	if r.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return "", fmt.Errorf("open rows: %w", err)
	}
	if r.list, err = scanRows(path, r.file); err != nil {
		return "", err
	}
	for _, row := range r.list.rows {
		r.done[row.id] = true
	}
	if r.list.torn > 0 {
		if err := r.file.Truncate(r.list.size); err != nil {
			return "", fmt.Errorf("cut off an unfinished row: %w", err)
		}
		warning = fmt.Sprintf("%s: its last %d bytes were a row whose writing did not finish; they were cut off, and the row is done again", path, r.list.torn)
		r.list.torn, r.list.damaged = 0, nil
	}
	if err := r.file.Sync(); err != nil {
		return "", fmt.Errorf("open rows: %w", err)
	}
	return warning, syncDir(r.dir)
}

// Manifest returns the run's manifest: of a run that is continued, the one it was begun with.
func (r *Run) Manifest() Manifest { return r.manifest }

// Done reports whether a row is finished, well or with an error, and on disk.
func (r *Run) Done(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done[id]
}

// Append adds a finished row and returns when it is on disk. After an error of the disk the row is not done,
// and this and every later call returns that error.
func (r *Run) Append(rec revise.Record) error {
	line, err := marshal(rec)
	if err != nil {
		return fmt.Errorf("save row %s: %w", rec.ID, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.failure != nil:
		return r.failure
	case rec.ID == "":
		return fmt.Errorf("save row %d: it has no id", rec.Index)
	case r.done[rec.ID]:
		return fmt.Errorf("save row %s: a row of this id is done already", rec.ID)
	}
	if err := r.write(append(line, '\n')); err != nil {
		r.failure = fmt.Errorf("row %s could not be saved, and is not counted as done: %w", rec.ID, err)
		return r.failure
	}
	r.list.rows = append(r.list.rows, row{id: rec.ID, index: rec.Index, at: r.list.size, size: len(line) + 1})
	r.list.size += int64(len(line)) + 1
	r.done[rec.ID] = true
	return nil
}

// write puts a line after the whole rows. On failure it takes back what it wrote, as far as the disk lets it.
func (r *Run) write(line []byte) error {
	_, err := r.file.WriteAt(line, r.list.size)
	if err == nil {
		err = r.file.Sync()
	}
	if err != nil {
		return errors.Join(err, r.file.Truncate(r.list.size))
	}
	return nil
}

// Rows yields the finished rows in input order: those that were done when the iteration began.
func (r *Run) Rows() iter.Seq2[revise.Record, error] {
	return func(yield func(revise.Record, error) bool) {
		r.mu.Lock()
		rows := r.list.inputOrder()
		r.mu.Unlock()
		eachRow(r.file, rows, yield)
	}
}

// Close lets go of the directory. It may be called more than once. What was appended is on disk already.
func (r *Run) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lock == nil {
		return nil
	}
	if r.failure == nil {
		r.failure = fmt.Errorf("run %s: %w", r.dir, fs.ErrClosed)
	}
	var err error
	if r.file != nil { // Open may have failed before it
		err = r.file.Close()
	}
	err = errors.Join(err, release(r.lock))
	r.lock = nil
	return err
}

// Read opens a run to look at, also while another process writes to it. The records come in input order;
// iterating reads them one at a time, and stops after an error. A last line that is still being written, or
// was left unfinished by a killed process, is no row yet and is left out. The error matches ErrNotARun where
// there is no run.
func Read(dir string) (Manifest, iter.Seq2[revise.Record, error], error) {
	m, err := readManifest(dir)
	if err != nil {
		return m, nil, err
	}
	path := filepath.Join(dir, RowsFile)
	return m, func(yield func(revise.Record, error) bool) {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return // a run that has only just begun
		}
		if err != nil {
			yield(revise.Record{}, fmt.Errorf("read rows: %w", err))
			return
		}
		defer func() { _ = f.Close() }() // only read
		list, err := scanRows(path, f)
		if err == nil {
			err = list.damaged
		}
		if err != nil {
			yield(revise.Record{}, err)
			return
		}
		eachRow(f, list.inputOrder(), yield)
	}, nil
}

// readManifest reads the manifest of a run; its error matches ErrNotARun where there is none.
func readManifest(dir string) (Manifest, error) {
	var m Manifest
	path := filepath.Join(dir, ManifestFile)
	text, err := os.ReadFile(path)
	if err != nil {
		if info, e := os.Stat(dir); errors.Is(err, fs.ErrNotExist) || e == nil && !info.IsDir() {
			return m, fmt.Errorf("%s is %w: %w", dir, ErrNotARun, err)
		}
		return m, fmt.Errorf("open run: %w", err)
	}
	var head struct{ Format int }
	if err := json.Unmarshal(text, &head); err != nil {
		return m, fmt.Errorf("%s is damaged: %w", path, err)
	}
	if head.Format != Format {
		return m, fmt.Errorf("%s has format %d, and this amend reads format %d: use the version that made it", path, head.Format, Format)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields() // a setting that this version does not know could alter results
	if err := dec.Decode(&m); err != nil {
		return m, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}
