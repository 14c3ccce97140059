package runstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"amend/engine/atomicfile"
	"amend/engine/digest"
	"amend/engine/feedback"
	"amend/engine/plainjson"
)

// FeedbackFile is the database of labels in a run directory, or in one of its own.
const FeedbackFile = "feedback.db"

// FeedbackSettings is everything that labels depend on. Labels of other settings are another set, so every
// field has the key tag "run" (package digest).
type FeedbackSettings struct {
	// Source says which pairs are judged: those of a file by its hash, or of a run by what made it and how its rows become
	// pairs.
	Source         digest.PairSource `json:"source" key:"run"`
	Date           string            `json:"date" key:"run"` // that templates see, YYYY-MM-DD
	ModelSHA256    string            `json:"model_sha256" key:"run"`
	LoRASHA256     string            `json:"lora_sha256,omitempty" key:"run"` // of the adapter on it
	LoRAScale      float64           `json:"lora_scale,omitempty" key:"run"`
	TemplateSHA256 string            `json:"template_sha256,omitempty" key:"run"`
	Chat           string            `json:"chat" key:"run"`
	KVType         string            `json:"kv_type" key:"run"`
	Deterministic  bool              `json:"deterministic,omitempty" key:"run"`

	Constitution       string  `json:"constitution" key:"run"` // name
	ConstitutionSHA256 string  `json:"constitution_sha256" key:"run"`
	ConstitutionText   string  `json:"constitution_text" key:"run"` // composed, as YAML
	Principles         int     `json:"principles" key:"run"`        // drawn for each pair
	Layout             string  `json:"layout" key:"run"`
	Seed               uint64  `json:"seed,string" key:"run"`
	MinMass            float64 `json:"min_mass" key:"run"`

	Reasonings  int        `json:"reasonings,omitempty" key:"run"`
	Clamp       [2]float64 `json:"clamp,omitzero" key:"run"`
	MaxTokens   int        `json:"max_tokens,omitempty" key:"run"` // of a reasoning
	Temperature float64    `json:"temperature,omitempty" key:"run"`
	TopK        int        `json:"top_k,omitempty" key:"run"`
	TopP        float64    `json:"top_p,omitempty" key:"run"`
	MinP        float64    `json:"min_p,omitempty" key:"run"`
}

// Feedback is a directory's labels, open for writing. Its methods may be called from many goroutines.
type Feedback struct {
	lock *os.File

	mu       sync.Mutex
	data     *database
	settings FeedbackSettings
	set      int64                     // the one that labels are added to; 0 before its first
	done     map[string]feedback.Label // of that set
	kept     int                       // answers, since OpenFeedback
	// failure is the first error of the disk, after which nothing is written any more.
	failure error
}

// OpenFeedback opens the labels in dir, a run directory or one of their own, and makes what is not there. Labels of the
// settings that were used last are gone on with; other settings begin a set. Errors are a *LockedError while another
// process writes to the directory, one that matches ErrNotARun where it holds other files, and those of the disk. The
// caller calls Close.
func OpenFeedback(dir string, s FeedbackSettings) (f *Feedback, err error) {
	if err := prepareFeedback(dir); err != nil {
		return nil, err
	}
	lock, err := acquire(dir)
	if err != nil {
		return nil, err
	}
	f = &Feedback{lock: lock, settings: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
			f = nil
		}
	}()
	if f.data, err = openDatabase(filepath.Join(dir, FeedbackFile), feedbackSchema); err != nil {
		return f, err
	}
	if f.set, err = f.data.feedbackSet(s); err != nil {
		return f, f.data.wrap("open", err)
	}
	if f.done, err = f.data.labels(f.set); err != nil {
		return f, f.data.wrap("read", err)
	}
	return f, atomicfile.SyncDir(dir)
}

// prepareFeedback makes the directory, or sees that the one that is there may be used.
func prepareFeedback(dir string) error {
	for _, name := range []string{FeedbackFile, StatesFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return nil
		}
	}
	return prepare(dir)
}

// feedbackSet finds the set of these settings, if it is the last one. Else it is 0: a set begins with its first label.
func (d *database) feedbackSet(s FeedbackSettings) (int64, error) {
	text, err := plainjson.Marshal(s)
	if err != nil {
		return 0, err
	}
	id, last, err := d.lastSet()
	if last != string(text) {
		id = 0
	}
	return id, err
}

// lastSet is the set that was begun last, 0 where there is none, with its settings as JSON.
func (d *database) lastSet() (id int64, settings string, err error) {
	err = sqlitex.Execute(d.conn, "SELECT id, settings FROM sets ORDER BY id DESC LIMIT 1", &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		id, settings = stmt.ColumnInt64(0), stmt.ColumnText(1)
		return nil
	}})
	return id, settings, err
}

// labels gives those of a set by their pairs.
func (d *database) labels(set int64) (map[string]feedback.Label, error) {
	out := map[string]feedback.Label{}
	err := sqlitex.Execute(d.conn, "SELECT pair, label FROM labels WHERE set_id = ?", &sqlitex.ExecOptions{Args: []any{set}, ResultFunc: func(s *sqlite.Stmt) error {
		var l feedback.Label
		if err := json.Unmarshal(column(s, 1), &l); err != nil {
			return fmt.Errorf("%w: the label of pair %s: %w", errDamaged, s.ColumnText(0), err)
		}
		out[l.ID] = l
		return nil
	}})
	return out, err
}

// Label returns the label of a pair, if it has one by these settings that is of the same texts. A pair that could not be judged
// has none: it is tried again.
func (f *Feedback) Label(p feedback.Pair) (l feedback.Label, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l, ok = f.done[p.ID]
	return l, ok && l.Pair == p.Hash() && l.Error == ""
}

// Before returns the settings that were used before these, and their labels by their pairs: none where these are the first.
func (f *Feedback) Before() (s FeedbackSettings, labels map[string]feedback.Label, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var id int64
	err = sqlitex.Execute(f.data.conn, "SELECT id, settings FROM sets WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT 1",
		&sqlitex.ExecOptions{Args: []any{f.set}, ResultFunc: func(stmt *sqlite.Stmt) error {
			id = stmt.ColumnInt64(0)
			return json.Unmarshal(column(stmt, 1), &s)
		}})
	if err != nil {
		return s, nil, f.data.wrap("read", err)
	}
	labels, err = f.data.labels(id)
	return s, labels, f.data.wrap("read", err)
}

// Append adds a pair with its label, in the place of an older one, and returns when both are on disk. asked is how many pairs
// are to have one by these settings.
func (f *Feedback) Append(p feedback.Pair, l feedback.Label, asked int) error {
	texts, err := plainjson.Marshal(p)
	if err != nil {
		return err
	}
	label, err := plainjson.Marshal(l)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failure == nil && f.set == 0 {
		f.failure = f.begin()
	}
	if f.failure == nil {
		f.failure = f.data.wrap("write", f.data.putLabel(f.set, p, texts, label, asked))
	}
	if f.failure == nil {
		f.done[l.ID] = l
	}
	return f.failure
}

// begin makes the set.
func (f *Feedback) begin() error {
	text, err := plainjson.Marshal(f.settings)
	if err != nil {
		return err
	}
	err = sqlitex.Execute(f.data.conn, "INSERT INTO sets (settings, asked) VALUES (?, 0)", &sqlitex.ExecOptions{Args: []any{string(text)}})
	f.set = f.data.conn.LastInsertRowID()
	return f.data.wrap("write", err)
}

// putLabel writes a pair and its label, both or neither.
func (d *database) putLabel(set int64, p feedback.Pair, texts, label []byte, asked int) (err error) {
	defer sqlitex.Save(d.conn)(&err)
	if err := sqlitex.Execute(d.conn, "UPDATE sets SET asked = max(asked, ?) WHERE id = ?", &sqlitex.ExecOptions{Args: []any{asked, set}}); err != nil {
		return err
	}
	if err := sqlitex.Execute(d.conn, `INSERT INTO pairs (id, place, texts) VALUES (?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET place = excluded.place, texts = excluded.texts`,
		&sqlitex.ExecOptions{Args: []any{p.ID, p.Index, texts}}); err != nil {
		return err
	}
	return sqlitex.Execute(d.conn, `INSERT INTO labels (set_id, pair, label) VALUES (?, ?, ?)
		ON CONFLICT (set_id, pair) DO UPDATE SET label = excluded.label`,
		&sqlitex.ExecOptions{Args: []any{set, p.ID, label}})
}

// Get returns an answer (feedback.Memory).
func (f *Feedback) Get(key feedback.Key) (a feedback.Answer, ok bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failure != nil {
		return a, false, f.failure
	}
	err = sqlitex.Execute(f.data.conn, "SELECT a, b, text, prompt, reused, decoded FROM answers WHERE key = ?",
		&sqlitex.ExecOptions{Args: []any{key[:]}, ResultFunc: func(s *sqlite.Stmt) error {
			ok = true
			a = feedback.Answer{
				LogProbs: [2]float64{s.ColumnFloat(0), s.ColumnFloat(1)}, Text: string(column(s, 2)),
				Prompt: s.ColumnInt(3), Reused: s.ColumnInt(4), Decoded: s.ColumnInt(5),
			}
			return nil
		}})
	return a, ok, f.data.wrap("read", err)
}

// Put keeps an answer and returns when it is on disk (feedback.Memory).
func (f *Feedback) Put(key feedback.Key, a feedback.Answer) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failure == nil {
		f.failure = f.data.wrap("write", sqlitex.Execute(f.data.conn,
			"INSERT INTO answers (key, a, b, text, prompt, reused, decoded) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
			&sqlitex.ExecOptions{Args: []any{key[:], a.LogProbs[0], a.LogProbs[1], []byte(a.Text), a.Prompt, a.Reused, a.Decoded}}))
	}
	if f.failure == nil {
		f.kept++
	}
	return f.failure
}

// Remembered is how many answers were kept since OpenFeedback.
func (f *Feedback) Remembered() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.kept
}

// Close lets go of the directory. It may be called more than once.
func (f *Feedback) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock == nil {
		return nil
	}
	if f.failure == nil {
		f.failure = fmt.Errorf("labels: %w", fs.ErrClosed)
	}
	var err error
	if f.data != nil {
		err = f.data.close()
	}
	err = errors.Join(err, release(f.lock))
	f.lock = nil
	return err
}

// FeedbackSet is the labels of a directory by the settings that were used last.
type FeedbackSet struct {
	Settings FeedbackSettings
	Asked    int // pairs that were to be labelled
	Done     int // of these, those that are, and those that could not be
	Labels   iter.Seq2[feedback.Labelled, error]
}

// ReadFeedback opens labels to look at, in the order of their pairs, also while another process writes. The error matches
// ErrNotARun where there are none.
func ReadFeedback(dir string) (set FeedbackSet, err error) {
	d, err := readDatabase(filepath.Join(dir, FeedbackFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return set, err
	}
	var id int64
	if err == nil {
		defer func() { _ = d.close() }() // only read
		err = sqlitex.Execute(d.conn, `SELECT id, settings, asked, (SELECT count(*) FROM labels WHERE set_id = id) FROM sets ORDER BY id DESC LIMIT 1`,
			&sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
				id, set.Asked, set.Done = stmt.ColumnInt64(0), stmt.ColumnInt(2), stmt.ColumnInt(3)
				return json.Unmarshal([]byte(stmt.ColumnText(1)), &set.Settings)
			}})
		if err != nil {
			return set, d.wrap("read", err)
		}
	}
	if id == 0 {
		return set, fmt.Errorf("%s is %w with labels: amend feedback makes them", dir, ErrNotARun)
	}
	set.Labels = labelled(dir, id)
	return set, nil
}

// CheckFeedback has SQLite look through a directory's labels and reads every one of them, by any settings. It returns how many
// pairs have one by the settings that were used last, and how many were to get one. The error matches fs.ErrNotExist where there are none.
func CheckFeedback(dir string) (done, asked int, err error) {
	d, err := readDatabase(filepath.Join(dir, FeedbackFile))
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = d.close() }() // only read
	if err := d.check(); err != nil {
		return 0, 0, d.wrap("check", err)
	}
	var last int64
	err = sqlitex.Execute(d.conn, "SELECT id, asked FROM sets ORDER BY id DESC LIMIT 1", &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		last, asked = stmt.ColumnInt64(0), stmt.ColumnInt(1)
		return nil
	}})
	if err != nil {
		return 0, 0, d.wrap("read", err)
	}
	err = sqlitex.Execute(d.conn, `SELECT settings, label, texts, labels.pair, set_id FROM labels
		LEFT JOIN sets ON sets.id = set_id LEFT JOIN pairs ON pairs.id = labels.pair`,
		&sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
			set := stmt.ColumnInt64(4)
			if set == last {
				done++
			}
			if err := checkLabel(stmt, set == last); err != nil {
				return fmt.Errorf("%w: the label of pair %s, set %d: %w", errDamaged, stmt.ColumnText(3), set, err)
			}
			return nil
		}})
	return done, asked, d.wrap("check", err)
}

// checkLabel checks a label with its settings and its pair. Only the set that was begun last is surely of the pairs' texts:
// other rounds of a run have other texts under the same ids.
func checkLabel(stmt *sqlite.Stmt, last bool) error {
	if stmt.ColumnType(0) == sqlite.TypeNull {
		return errors.New("its settings are missing")
	}
	if stmt.ColumnType(2) == sqlite.TypeNull {
		return errors.New("its pair is missing")
	}
	var s FeedbackSettings
	var l feedback.Labelled
	if err := errors.Join(json.Unmarshal(column(stmt, 0), &s), json.Unmarshal(column(stmt, 1), &l.Label), json.Unmarshal(column(stmt, 2), &l.Pair)); err != nil {
		return err
	}
	if id := stmt.ColumnText(3); l.Label.ID != id || l.Pair.ID != id {
		return fmt.Errorf("it says that it is of pair %q, and the pair that it is %q", l.Label.ID, l.Pair.ID)
	}
	if last && l.Label.Pair != l.Pair.Hash() {
		return errors.New("it is of other texts than the pair's")
	}
	return nil
}

// labelled reads the pairs of a set by a connection of its own.
func labelled(dir string, set int64) iter.Seq2[feedback.Labelled, error] {
	return func(yield func(feedback.Labelled, error) bool) {
		d, err := readDatabase(filepath.Join(dir, FeedbackFile))
		if err != nil {
			yield(feedback.Labelled{}, err)
			return
		}
		defer func() { _ = d.close() }() // only read
		stop := errors.New("enough")
		err = sqlitex.Execute(d.conn, `SELECT texts, label FROM labels JOIN pairs ON pairs.id = labels.pair WHERE set_id = ? ORDER BY place, id`,
			&sqlitex.ExecOptions{Args: []any{set}, ResultFunc: func(stmt *sqlite.Stmt) error {
				var l feedback.Labelled
				if err := errors.Join(json.Unmarshal(column(stmt, 0), &l.Pair), json.Unmarshal(column(stmt, 1), &l.Label)); err != nil {
					return fmt.Errorf("%w: %w", errDamaged, err)
				}
				if !yield(l, nil) {
					return stop
				}
				return nil
			}})
		if err != nil && !errors.Is(err, stop) {
			yield(feedback.Labelled{}, d.wrap("read", err))
		}
	}
}
