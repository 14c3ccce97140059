package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"amend/cmd/amend/internal/failure"
	"amend/engine/runstore"
)

func TestReadRunStops(t *testing.T) {
	oldRuns(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	run, err := ReadRun(ctx, "plain")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	var last error
	for _, err := range run.Rows {
		rows, last = rows+1, err
		stop()
	}
	var input *failure.InputError
	if rows != 2 || !errors.Is(last, context.Canceled) || errors.As(last, &input) {
		t.Errorf("%d rows, then %v", rows, last)
	}
}

// What is wrong with a run directory is for the user to repair, whether it is found at once or in a row.
func TestReadRunThatIsDamaged(t *testing.T) {
	oldRuns(t)
	var input *failure.InputError
	if err := os.WriteFile(filepath.Join("plain", runstore.DatabaseFile), []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Stats(t.Context(), "plain"); !errors.As(err, &input) {
		t.Errorf("a damaged database: %v", err)
	}
	if err := os.WriteFile(filepath.Join("gated", runstore.ManifestFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadRun(t.Context(), "gated"); !errors.As(err, &input) {
		t.Errorf("a damaged manifest: %v", err)
	}
}
