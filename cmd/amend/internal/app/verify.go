package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/prompts"
	"amend/engine/runstore"
	"amend/models"
)

// VerifyReport is what Verify found.
type VerifyReport struct {
	Checks []Check `json:"checks"`
	OK     bool    `json:"ok"` // nothing differs
}

// Check is one part of a run, compared with its manifest.
type Check struct {
	What   string     `json:"what"`
	State  CheckState `json:"state"`
	Detail string     `json:"detail,omitempty"`
}

// CheckState is how a part of a run compares.
type CheckState string

// The states. JSON has these words.
const (
	Matches CheckState = "as recorded"
	Differs CheckState = "another"
	Missing CheckState = "not here" // it could not be compared
)

// Verify compares the run in dir with its manifest, offline: its database, what was written from it, its labels, and the
// model, adapter, constitution and prompts, as far as these are here. The error is failure.ErrDiffers where a part
// differs, and then the report is whole.
func Verify(ctx context.Context, dir string) (VerifyReport, error) {
	run, err := ReadRun(ctx, dir)
	if err != nil {
		return VerifyReport{}, err
	}
	report := VerifyReport{OK: true}
	if report.Checks, err = run.verify(ctx); err != nil {
		return VerifyReport{}, err
	}
	for _, c := range report.Checks {
		report.OK = report.OK && c.State != Differs
	}
	if !report.OK {
		return report, failure.ErrDiffers
	}
	return report, nil
}

// verify checks a run, and the run of its first responses where there is one.
func (r StoredRun) verify(ctx context.Context) ([]Check, error) {
	checks := []Check{}
	parts := []func(context.Context) (Check, error){r.checkRows, r.checkRevisions, r.checkLabels, r.checkConstitution}
	if last, err := r.lastStage(); err != nil {
		checks = append(checks, Check{"settings", Differs, err.Error()})
	} else {
		parts = append(parts, r.filesOf(last)...)
	}
	for _, check := range parts {
		c, err := check(ctx)
		if err != nil {
			return nil, err
		}
		if c.What != "" {
			checks = append(checks, c)
		}
	}
	if r.Manifest.Results.Responses == "" {
		return checks, nil
	}
	more, err := r.verifyResponses(ctx)
	return append(checks, more...), err
}

// verifyResponses checks the run of the first responses that a staged run went on from.
func (r StoredRun) verifyResponses(ctx context.Context) ([]Check, error) {
	dir := filepath.Join(r.Dir, runstore.ResponsesDir)
	first, err := ReadRun(ctx, dir)
	if errors.Is(err, runstore.ErrNotARun) {
		return []Check{{"responses", Missing, dir}}, nil
	}
	if err != nil {
		return nil, err
	}
	made, err := first.Manifest.Results.Hash()
	if err != nil {
		return nil, err
	}
	same := Check{"responses", Matches, dir}
	if made != r.Manifest.Results.Responses {
		same = Check{"responses", Differs, dir + " was made with other settings than those that the run went on from"}
	}
	rest, err := first.verify(ctx)
	for i := range rest {
		rest[i].What = "responses' " + rest[i].What
	}
	return append([]Check{same}, rest...), err
}

// checkRows has SQLite look through the database, and reads every row.
func (r StoredRun) checkRows(context.Context) (Check, error) {
	n, err := runstore.Check(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Check{"rows", Missing, filepath.Join(r.Dir, runstore.DatabaseFile)}, nil
	}
	if err != nil {
		return Check{"rows", Differs, err.Error()}, nil
	}
	return Check{"rows", Matches, fmt.Sprintf("%d of %d", n, r.Manifest.Setup.Rows)}, nil
}

func (r StoredRun) checkRevisions(context.Context) (Check, error) {
	same, err := runstore.CheckRevisions(r.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Check{"revisions", Missing, "a run writes them when all rows are done"}, nil
	case err != nil:
		return Check{}, failure.Input(err)
	case !same:
		return Check{"revisions", Differs, "not what the rows give: the file was edited, or rows were done after it was written"}, nil
	}
	return Check{"revisions", Matches, "what the rows give"}, nil
}

// checkLabels reads every label of amend feedback, where there are some.
func (r StoredRun) checkLabels(context.Context) (Check, error) {
	done, asked, err := runstore.CheckFeedback(r.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Check{}, nil
	case err != nil:
		return Check{"labels", Differs, err.Error()}, nil
	}
	return Check{"labels", Matches, fmt.Sprintf("%d of %d", done, asked)}, nil
}

// filesOf are the checks of the files that a run's settings name.
func (r StoredRun) filesOf(c RunConfig) []func(context.Context) (Check, error) {
	results := r.Manifest.Results
	if results.ServerModel != "" {
		return []func(context.Context) (Check, error){
			func(context.Context) (Check, error) {
				return Check{"model", Missing, results.ServerModel + " is a server's"}, nil
			},
			func(context.Context) (Check, error) { return r.checkPrompts(c) },
		}
	}
	checks := []func(context.Context) (Check, error){func(ctx context.Context) (Check, error) {
		return checkFile(ctx, "model", c.Model, results.ModelSHA256, runner.Find)
	}}
	if adapter := runner.ParseAdapter(c.LoRA); adapter.Path != "" {
		checks = append(checks, func(ctx context.Context) (Check, error) {
			return checkFile(ctx, "adapter", adapter.Path, results.LoRASHA256, models.Open)
		})
	}
	return append(checks, func(context.Context) (Check, error) { return r.checkPrompts(c) })
}

// checkFile compares a GGUF with the hash that was recorded.
func checkFile(ctx context.Context, what, path, recorded string, open func(string) (*models.Model, error)) (Check, error) {
	file, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Check{what, Missing, path}, nil
	}
	if err != nil {
		return Check{}, failure.Input(err)
	}
	sum, err := file.SHA256(ctx)
	if err != nil {
		return Check{}, err
	}
	return compared(what, path, recorded, sum), nil
}

func (r StoredRun) checkConstitution(context.Context) (Check, error) {
	path := filepath.Join(r.Dir, runstore.ConstitutionFile)
	doc, err := r.constitution()
	if errors.Is(err, fs.ErrNotExist) {
		return Check{"constitution", Missing, path}, nil
	}
	if err != nil {
		return Check{"constitution", Differs, err.Error()}, nil
	}
	return compared("constitution", path, r.Manifest.Results.ConstitutionSHA256, doc.Hash()), nil
}

func (r StoredRun) checkPrompts(c RunConfig) (Check, error) {
	if slices.Contains(c.Prompts, "-") {
		return Check{"prompts", Missing, "they came through standard input"}, nil
	}
	set, err := prompts.Read(c.Prompts, nil, c.input())
	if err != nil {
		return Check{"prompts", Missing, err.Error()}, nil
	}
	return compared("prompts", c.Prompts.String(), r.Manifest.Results.PromptsSHA256, set.SHA256), nil
}

func compared(what, path, recorded, found string) Check {
	if recorded != found {
		return Check{what, Differs, fmt.Sprintf("%s has sha256 %s, the run was made with %s", path, found, recorded)}
	}
	return Check{what, Matches, path}
}
