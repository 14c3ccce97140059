package runstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"amend/engine/atomicfile"
	"amend/engine/plainjson"
)

// EvaluationFile is the database of an evaluation's results, in a directory of its own.
const EvaluationFile = "evaluation.db"

// EvaluationSettings is everything that the results of an evaluation depend on, but the items' own texts, which the items
// are found by.
type EvaluationSettings struct {
	Set            string  `json:"set" key:"run"`
	SetSHA256      string  `json:"set_sha256" key:"run"`
	ModelSHA256    string  `json:"model_sha256" key:"run"`
	LoRASHA256     string  `json:"lora_sha256,omitempty" key:"run"`
	LoRAScale      float64 `json:"lora_scale,omitempty" key:"run"`
	Chat           string  `json:"chat" key:"run"`
	TemplateSHA256 string  `json:"template_sha256,omitempty" key:"run"`
	KVType         string  `json:"kv_type" key:"run"`
	Deterministic  bool    `json:"deterministic,omitempty" key:"run"`
	MaxTokens      int     `json:"max_tokens,omitempty" key:"run"` // of an answer
	Date           string  `json:"date" key:"run"`                 // that templates see, YYYY-MM-DD
}

// Evaluation is a directory's results, open for writing. It is not safe for concurrent use.
type Evaluation struct {
	lock *os.File
	data *database
}

// OpenEvaluation opens the results in dir, and makes what is not there. Errors are a *LockedError while another process
// writes to the directory, a *ChangedError where the results are of other settings, one that matches ErrNotARun where it
// holds other files, and those of the disk. The caller calls Close.
func OpenEvaluation(dir string, s EvaluationSettings) (e *Evaluation, err error) {
	if _, err := os.Stat(filepath.Join(dir, EvaluationFile)); err != nil {
		if err := prepare(dir); err != nil {
			return nil, err
		}
	}
	lock, err := acquire(dir)
	if err != nil {
		return nil, err
	}
	e = &Evaluation{lock: lock}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
			e = nil
		}
	}()
	if e.data, err = openDatabase(filepath.Join(dir, EvaluationFile), evaluationSchema); err != nil {
		return e, err
	}
	if err := e.settle(dir, s); err != nil {
		return e, err
	}
	return e, atomicfile.SyncDir(dir)
}

// settle keeps the settings of a new evaluation, or compares those that are there.
func (e *Evaluation) settle(dir string, s EvaluationSettings) error {
	old, ok, err := e.data.evaluationSettings()
	if err != nil {
		return e.data.wrap("read the settings of", err)
	}
	if ok {
		if c := changes(old, s); len(c) > 0 {
			return &ChangedError{Dir: dir, Changes: c}
		}
		return nil
	}
	text, err := plainjson.Marshal(s)
	if err != nil {
		return fmt.Errorf("writing the settings down: %w", err)
	}
	return e.data.wrap("write the settings of", sqlitex.Execute(e.data.conn, "INSERT INTO settings (id, settings) VALUES (1, ?)", &sqlitex.ExecOptions{Args: []any{string(text)}}))
}

func (d *database) evaluationSettings() (s EvaluationSettings, ok bool, err error) {
	err = sqlitex.Execute(d.conn, "SELECT settings FROM settings", &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		ok = true
		if err := json.Unmarshal([]byte(stmt.ColumnText(0)), &s); err != nil {
			return fmt.Errorf("%w: settings: %w", errDamaged, err)
		}
		return nil
	}})
	return s, ok, err
}

// EvaluationDate is the date that the results in dir depend on, "" where there are none.
func EvaluationDate(dir string) (string, error) {
	path := filepath.Join(dir, EvaluationFile)
	if _, err := os.Stat(path); err != nil {
		return "", nil // there is none, or opening it for writing will say what is wrong
	}
	d, err := openDatabase(path, evaluationSchema)
	if err != nil {
		return "", err
	}
	s, _, err := d.evaluationSettings()
	return s.Date, errors.Join(d.wrap("read the settings of", err), d.close())
}

// Results are all results that are there, as they were put, by the item's id.
func (e *Evaluation) Results() (map[string][]byte, error) {
	out := map[string][]byte{}
	err := sqlitex.Execute(e.data.conn, "SELECT id, result FROM results", &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		out[stmt.ColumnText(0)] = []byte(stmt.ColumnText(1))
		return nil
	}})
	return out, e.data.wrap("read", err)
}

// Put keeps the result of an item, in place of an earlier one. It is on disk when Put returns.
func (e *Evaluation) Put(id string, result []byte) error {
	return e.data.wrap("write", sqlitex.Execute(e.data.conn, "INSERT INTO results (id, result) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET result = excluded.result",
		&sqlitex.ExecOptions{Args: []any{id, string(result)}}))
}

// Close lets go of the directory.
func (e *Evaluation) Close() error {
	var err error
	if e.data != nil {
		err = e.data.close()
	}
	return errors.Join(err, release(e.lock))
}
