package app

import (
	"context"
	"fmt"
	"os"

	"amend/cmd/amend/internal/failure"
	"amend/models"
)

// ModelList are the models at hand.
type ModelList struct {
	LookedIn []string       `json:"looked_in"`
	Models   []models.Found `json:"models"`
}

// Models lists the models in this machine's caches.
func Models() ModelList {
	caches := models.CachesFrom(os.Getenv)
	list := ModelList{LookedIn: caches.Places(), Models: caches.List()}
	if list.Models == nil {
		list.Models = []models.Found{} // in JSON a list, not null
	}
	return list
}

// ModelNames are the names of the models at hand. No file is opened.
func ModelNames() []string { return models.CachesFrom(os.Getenv).NamesAtHand() }

// NoModelError refuses work for which no model is named.
type NoModelError struct {
	Setting string // that names it: model, or judge
	AtHand  ModelList
}

// Error says what is missing; what is at hand is in the field.
func (e *NoModelError) Error() string { return e.Unwrap().Error() }

// Unwrap returns the setting that is missing.
func (e *NoModelError) Unwrap() error {
	return failure.Missing(e.Setting, "the path of a GGUF file, or a name")
}

// InspectModel describes a model, which need not be one that can run. The checksum is left out unless asked for: it takes
// reading the whole file.
func InspectModel(ctx context.Context, name string, checksum bool) (models.Info, error) {
	m, err := openModel(name)
	if err != nil {
		return models.Info{}, err
	}
	info := m.Info()
	if checksum {
		info.SHA256, err = m.SHA256(ctx)
	}
	return info, err
}

// VerifyModel checks a model's structure, and its checksum: against sha256, or if that is empty against what is known.
func VerifyModel(ctx context.Context, name, sha256 string) (models.Verdict, error) {
	path, err := models.CachesFrom(os.Getenv).Resolve(name)
	if err != nil {
		return models.Verdict{}, failure.Input(err)
	}
	return models.Verify(ctx, path, sha256) // what differs is models.ErrInvalid
}

// openModel finds a model by name or path and checks its file. It may be a vocabulary alone.
func openModel(name string) (*models.Model, error) {
	path, err := models.CachesFrom(os.Getenv).Resolve(name)
	if err != nil {
		return nil, failure.Input(err)
	}
	m, err := models.Open(path)
	return m, failure.Input(err)
}

// refuseExisting keeps a file from being replaced unless the setting force says so.
func refuseExisting(path string, force bool) error {
	if _, err := os.Lstat(path); err == nil && !force {
		return fmt.Errorf("%s exists; %w", path, &failure.FieldError{Field: "force", Want: "replaces it"})
	}
	return nil
}
