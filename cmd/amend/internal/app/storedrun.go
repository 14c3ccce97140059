package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"amend/cmd/amend/internal/failure"
	"amend/constitution"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/models"
	"amend/models/testbed"
)

// StoredRun is a run directory to read from. Another process may be writing to it.
type StoredRun struct {
	Dir      string
	Manifest runstore.Manifest
	// First is the manifest of the run that made the first responses, where that was another model or adapter; else nil.
	First *runstore.Manifest
	Rows  iter.Seq2[revise.Record, error] // the finished rows, in input order, read one at a time
}

// ReadRun opens a run directory. Errors about the directory, also those that Rows yields, are failure.InputError.
func ReadRun(ctx context.Context, dir string) (StoredRun, error) {
	m, rows, err := runstore.Read(dir)
	if err != nil {
		return StoredRun{}, failure.Input(err)
	}
	run := StoredRun{Dir: dir, Manifest: m, Rows: readable(ctx, rows)}
	if m.Results.Responses == "" {
		return run, nil
	}
	first, _, err := runstore.Read(filepath.Join(dir, runstore.ResponsesDir))
	if errors.Is(err, runstore.ErrNotARun) { // somebody took it away
		return run, nil
	}
	run.First = &first
	return run, failure.Input(err)
}

// readable marks the errors of stored items as the user's, and ends when the context does.
func readable[T any](ctx context.Context, items iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for item, err := range items {
			err = failure.Input(err)
			if err == nil {
				err = ctx.Err()
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// Only is the run with one row alone.
func (r StoredRun) Only(rec revise.Record) StoredRun {
	r.Rows = func(yield func(revise.Record, error) bool) { yield(rec, nil) }
	return r
}

// constitution is the run's, with the principles that it draws from.
func (r StoredRun) constitution() (*constitution.Document, error) {
	doc, err := constitution.Load(constitutionFile(r.Dir))
	if err != nil {
		return nil, err
	}
	return doc.Select(r.Manifest.Setup.Principles)
}

// lastModel returns the settings of lastStage for a model that is to read or judge what the run holds. field is the setting
// that names another one: where a server wrote, there is no model to load.
func (r StoredRun) lastModel(field string) (RunConfig, error) {
	if name := r.Manifest.Results.ServerModel; name != "" {
		return RunConfig{}, failure.Missing(field, fmt.Sprintf("%s, which wrote critiques and revisions of %s, is a server's; name a GGUF model", name, r.Dir))
	}
	return r.lastStage()
}

// constitutionFile is the constitution in a run directory.
func constitutionFile(dir string) string { return filepath.Join(dir, runstore.ConstitutionFile) }

// lastStage returns the settings of what finished a run: of its critic, where it has one. Paths lead from here, while those
// in the manifest are as they were typed where the run was begun.
func (r StoredRun) lastStage() (RunConfig, error) {
	c, err := RecordedRun(r.Dir)
	if err != nil {
		return c, err
	}
	stages := c.stages()
	c = stages[len(stages)-1].config
	if isTestbed(r.Manifest) {
		c.Model = testbed.Name
	}
	return c, nil
}

// ShownModel is the model of a run as a person knows it.
func ShownModel(m runstore.Manifest) string {
	if m.Results.ServerModel != "" {
		return m.Results.ServerModel + ", by the server at " + m.Setup.Server
	}
	return models.CachesFrom(os.Getenv).Shown(m.Setup.Model)
}

// modelOf is the model of a run as a setting names it.
func modelOf(m runstore.Manifest) string {
	if isTestbed(m) {
		return testbed.Name
	}
	return m.Setup.Model
}

// isTestbed reports whether a run was made with the embedded model.
func isTestbed(m runstore.Manifest) bool { return m.Results.ModelSHA256 == testbed.SHA256() }
