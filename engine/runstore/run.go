// Package runstore keeps a run in a directory:
//
//	manifest.json      what made the run: inputs, settings, versions, machine
//	constitution.yaml  the constitution as it was composed for it
//	config.yaml        its settings
//	run.db             SQLite: every finished turn by what made it, and every finished row with its whole trace
//	revisions.jsonl    the last answer of each row, flagged ones too, in input order; written by Finish
//	failed.jsonl       rows that failed and why, if any did; written by Finish
//	feedback.db        SQLite: what a judge said of pairs, by what made it, and the labels (OpenFeedback)
//	states.db          SQLite: hidden states of responses, by what they were computed from (OpenStates)
//	responses          a run of the first responses, where another model or adapter made them
//	lock               held by the process that writes; the file stays, the lock does not
//
// A turn or a row is done when its transaction is on disk, and not before: what Done reports survives a crash of
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
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"amend/engine/atomicfile"
	"amend/engine/revise"
)

// Names of the files in a run directory.
const (
	ManifestFile  = "manifest.json"
	DatabaseFile  = "run.db"
	RevisionsFile = "revisions.jsonl"
	FailedFile    = "failed.jsonl"
	// ConstitutionFile is the constitution as it was composed for the run.
	ConstitutionFile = "constitution.yaml"
	// SettingsFile is what the run was told, every setting written out.
	SettingsFile = "config.yaml"
	// ResponsesDir is the run of the first responses, where another model or adapter made them.
	ResponsesDir = "responses"
	lockFile     = "lock"
	tmpSuffix    = ".tmp"
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
	data *database
	done map[string]bool
	kept int // turns, since Open
	// failure is the first error of the disk. Nothing is written any more after it; the next Open finds out what the
	// disk holds.
	failure error
}

// Options say how a run that is there is continued.
type Options struct {
	// Redo takes other inputs and settings than the run was begun with: its rows are done again, from the turns that
	// are still what they would be.
	Redo bool
	// RetryFailed does rows again that ended with an error.
	RetryFailed bool
	// Constitution and Settings are the texts of their files. A run that goes on keeps its constitution, whose hash is in
	// the manifest.
	Constitution, Settings []byte
}

// Open creates a run in dir, with its parents, or continues the one that is there.
//
// Warnings are to be shown to the user: recorded settings that differ from those the run was begun with. Errors are a
// *LockedError while another process has the run open, a *ChangedError where m would alter results and that was not
// asked for, one that matches ErrNotARun where dir holds other files, and those of the disk. The caller calls Close.
func Open(dir string, m Manifest, o Options) (run *Run, warnings []string, err error) {
	if err := prepare(dir); err != nil {
		return nil, nil, err
	}
	lock, err := acquire(dir)
	if err != nil {
		return nil, nil, err
	}
	r := &Run{dir: dir, lock: lock}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
			run = nil
		}
	}()
	changed, note, err := r.settle(m, o)
	if err != nil {
		return nil, nil, err
	}
	if note != "" {
		warnings = append(warnings, note)
	}
	return r, warnings, r.openData(changed, o)
}

// Claim makes a run's directory, or sees that it may be used, and takes its lock without opening the run. Its errors are
// those of Open. The caller calls free before it opens the run.
func Claim(dir string) (free func() error, err error) {
	if err := prepare(dir); err != nil {
		return nil, err
	}
	lock, err := acquire(dir)
	if err != nil {
		return nil, err
	}
	return func() error { return release(lock) }, nil
}

// openData opens the database. changed is set where its rows are of other inputs and settings than the manifest is to
// say: then all is changed that belongs to them.
func (r *Run) openData(changed *Manifest, o Options) (err error) {
	if r.data, err = openDatabase(databasePath(r.dir), runSchema); err != nil {
		return err
	}
	if changed != nil {
		if err := r.redo(*changed, o); err != nil {
			return err
		}
	}
	if o.RetryFailed {
		if err := r.data.forget(true); err != nil {
			return r.data.wrap("forget the failed rows of", err)
		}
	}
	if r.done, err = r.data.ids(); err != nil {
		return r.data.wrap("open", err)
	}
	return atomicfile.SyncDir(r.dir)
}

// redo gives the run another manifest. Rows and constitution of the old one go first, so a process that dies anywhere in
// it leaves none that does not fit its manifest. The next Open writes a constitution that is missing.
func (r *Run) redo(m Manifest, o Options) error {
	if err := r.data.forget(false); err != nil {
		return r.data.wrap("forget the rows of", err)
	}
	if o.Constitution != nil {
		if err := r.remove(ConstitutionFile); err != nil {
			return fmt.Errorf("remove the old constitution: %w", err)
		}
	}
	if err := r.writeText(SettingsFile, o.Settings); err != nil {
		return err
	}
	if err := r.writeManifest(m); err != nil {
		return err
	}
	return r.writeText(ConstitutionFile, o.Constitution)
}

// remove removes a file, if it is there, and returns when that is on disk.
func (r *Run) remove(name string) error {
	if err := os.Remove(filepath.Join(r.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return atomicfile.SyncDir(r.dir)
}

// writeText writes the constitution or the settings. A nil text leaves the file alone.
func (r *Run) writeText(name string, text []byte) error {
	if text == nil {
		return nil
	}
	return writeWhole(filepath.Join(r.dir, name), text)
}

// prepare makes the directory, or sees that the one that is there may be used.
func prepare(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return fmt.Errorf("create run: %w", err)
		}
		return atomicfile.SyncDir(filepath.Dir(filepath.Clean(dir)))
	}
	if err != nil {
		return fmt.Errorf("open run: %w", err)
	}
	return checkEntries(dir, entries)
}

// settle writes the manifest of a new run, or compares that of an old one with m. changed is the manifest to be written
// where what alters results is another, which only Options.Redo allows.
func (r *Run) settle(m Manifest, o Options) (changed *Manifest, note string, err error) {
	m.Format = Format
	old, err := readManifest(r.dir)
	if errors.Is(err, ErrNotARun) {
		if err := r.writeText(ConstitutionFile, o.Constitution); err != nil {
			return nil, "", err
		}
		if err := r.writeText(SettingsFile, o.Settings); err != nil {
			return nil, "", err
		}
		return nil, "", r.writeManifest(m)
	}
	if err != nil {
		return nil, "", err
	}
	r.manifest = old
	setup := changes(old.Setup, m.Setup)
	if c := changes(old.Results, m.Results); len(c) > 0 {
		if !o.Redo {
			return nil, "", &ChangedError{Dir: r.dir, Changes: c, Setup: setup}
		}
		m.Created = old.Created
		m.Before = append(slices.Clone(old.Before), old.Results)
		m.Measured = old.Measured
		return &m, "", nil
	}
	_, err = os.Stat(filepath.Join(r.dir, ConstitutionFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = r.writeText(ConstitutionFile, o.Constitution)
	}
	if err != nil {
		return nil, "", err
	}
	if err := r.writeText(SettingsFile, o.Settings); err != nil || len(setup) == 0 {
		return nil, "", err
	}
	if m.Setup.Rows > old.Setup.Rows { // a higher limit: the run is whole when these rows are done
		old.Setup = m.Setup
		if err := r.writeManifest(old); err != nil {
			return nil, "", err
		}
	}
	var lines []string
	for _, c := range setup {
		lines = append(lines, c.String())
	}
	return nil, r.dir + " was begun with another set-up, which does not alter its rows: " + strings.Join(lines, "; "), nil
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

// Manifest returns the run's manifest: of a run that is continued, the one it was begun with.
func (r *Run) Manifest() Manifest { return r.manifest }

// Done reports whether a row is finished, well or with an error, and on disk.
func (r *Run) Done(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done[id]
}

// IDs are those of the rows that are done, in no order.
func (r *Run) IDs() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.done))
}

// Append adds a finished row and returns when it is on disk. After an error of the disk the row is not done,
// and this and every later call returns that error.
func (r *Run) Append(rec revise.Record) error {
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
	if err := r.data.putRow(rec); err != nil {
		r.failure = r.data.wrap(fmt.Sprintf("row %s could not be saved, and is not counted as done: write", rec.ID), err)
		return r.failure
	}
	r.done[rec.ID] = true
	return nil
}

// Get returns a finished turn (revise.Memory).
func (r *Run) Get(key revise.Key) (o revise.TurnResult, ok bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure != nil {
		return o, false, r.failure
	}
	o, ok, err = r.data.turn(key)
	return o, ok, r.data.wrap("read", err)
}

// Put keeps a finished turn and returns when it is on disk (revise.Memory). After an error of the disk this and
// every later call returns that error.
func (r *Run) Put(key revise.Key, o revise.TurnResult) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure != nil {
		return r.failure
	}
	if err := r.data.putTurn(key, o); err != nil {
		r.failure = r.data.wrap("write", err)
	} else {
		r.kept++
	}
	return r.failure
}

// Remembered is how many turns were kept since Open.
func (r *Run) Remembered() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept
}

// Rows yields the finished rows in input order: those that were done when the iteration began.
func (r *Run) Rows() iter.Seq2[revise.Record, error] { return readRows(r.dir) }

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
	if r.data != nil { // Open may have failed before it
		err = r.data.close()
	}
	err = errors.Join(err, release(r.lock))
	r.lock = nil
	return err
}

// Read opens a run to look at, also while another process writes to it. The records come in input order;
// iterating reads them one at a time, and stops after an error. The error matches ErrNotARun where there is no run.
func Read(dir string) (Manifest, iter.Seq2[revise.Record, error], error) {
	m, err := readManifest(dir)
	return m, readRows(dir), err
}

// Check has SQLite look through a run's database and reads every row: it returns how many there are. The
// error matches fs.ErrNotExist without a database.
func Check(dir string) (rows int, err error) {
	d, err := readDatabase(databasePath(dir))
	if err != nil {
		return 0, err
	}
	defer func() { _ = d.close() }() // only read
	if err := d.check(); err != nil {
		return 0, d.wrap("check", err)
	}
	for _, err := range d.records() {
		if err != nil {
			return rows, err
		}
		rows++
	}
	return rows, nil
}

// Snapshot is a run to plan from: what is done and which turns there are. It is a revise.Memory that keeps nothing.
type Snapshot struct {
	Manifest Manifest
	data     *database // nil: a run that has no database yet
	done     map[string]bool
}

// Look opens a run for a plan. The error matches ErrNotARun where there is no run. The caller calls Close.
func Look(dir string) (*Snapshot, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Manifest: m}
	if s.data, err = readDatabase(databasePath(dir)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return s, nil
		}
		return nil, err
	}
	if s.done, err = s.data.ids(); err != nil {
		return nil, errors.Join(s.data.wrap("read", err), s.Close())
	}
	return s, nil
}

// Done reports whether a row is finished.
func (s *Snapshot) Done(id string) bool { return s.done[id] }

// IDs are those of the rows that are done, in no order.
func (s *Snapshot) IDs() []string { return slices.Collect(maps.Keys(s.done)) }

// Finished is how many rows are, of Manifest.Setup.Rows.
func (s *Snapshot) Finished() int { return len(s.done) }

// Get returns a finished turn.
func (s *Snapshot) Get(key revise.Key) (revise.TurnResult, bool, error) {
	if s.data == nil {
		return revise.TurnResult{}, false, nil
	}
	o, ok, err := s.data.turn(key)
	return o, ok, s.data.wrap("read", err)
}

// Put refuses: a plan computes nothing.
func (s *Snapshot) Put(revise.Key, revise.TurnResult) error {
	return errors.New("a run that is only looked at keeps no turns")
}

// Rows yields the finished rows in input order, one at a time.
func (s *Snapshot) Rows() iter.Seq2[revise.Record, error] {
	if s.data == nil {
		return func(func(revise.Record, error) bool) {}
	}
	return s.data.records()
}

// Changes lists what of m would alter the run's rows.
func (s *Snapshot) Changes(m Manifest) []Change { return changes(s.Manifest.Results, m.Results) }

// Close lets go of the database.
func (s *Snapshot) Close() error {
	if s.data == nil {
		return nil
	}
	return s.data.close()
}

// readRows gives the rows of a run by a connection of its own.
func readRows(dir string) iter.Seq2[revise.Record, error] {
	return func(yield func(revise.Record, error) bool) {
		d, err := readDatabase(databasePath(dir))
		if errors.Is(err, fs.ErrNotExist) {
			return // a run that has only just begun
		}
		if err != nil {
			yield(revise.Record{}, err)
			return
		}
		defer func() { _ = d.close() }() // only read
		d.records()(yield)
	}
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
	if head.Format < OldestFormat || head.Format > Format {
		return m, fmt.Errorf("%s has format %d, and this amend reads formats %d to %d: use the version that made it", path, head.Format, OldestFormat, Format)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields() // a setting that this version does not know could alter results
	if err := dec.Decode(&m); err != nil {
		return m, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}
