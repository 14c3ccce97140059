package app

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"amend/cmd/amend/internal/failure"
	"amend/engine/runstore"
)

// oldRuns copies the runs of format 2 to a folder and makes it the working directory: their manifests name files in it.
func oldRuns(t *testing.T) {
	t.Helper()
	from, err := filepath.Abs(filepath.Join("..", "cli", "testdata", "oldruns", "format2"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.CopyFS(".", os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// quiet is an Env that says nothing.
func quiet() Env {
	return Env{
		Log: slog.New(slog.DiscardHandler), Now: time.Now, Stdin: strings.NewReader(""), Stderr: io.Discard,
		Version: "test", InProcess: true,
	}
}

// states are the checks of a report as text.
func states(r VerifyReport) []string {
	var out []string
	for _, c := range r.Checks {
		out = append(out, c.What+": "+string(c.State))
	}
	return out
}

func TestVerifyOldRuns(t *testing.T) {
	oldRuns(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // where the testbed model is unpacked
	for dir, want := range map[string][]string{
		"plain": {"rows: as recorded", "revisions: as recorded", "constitution: as recorded", "model: as recorded", "prompts: as recorded"},
		"staged": {
			"rows: as recorded", "revisions: as recorded", "labels: as recorded", "constitution: as recorded", "model: as recorded", "adapter: as recorded",
			"prompts: as recorded", "responses: as recorded",
			"responses' rows: as recorded", "responses' revisions: as recorded", "responses' constitution: as recorded",
			"responses' model: as recorded", "responses' prompts: as recorded",
		},
	} {
		report, err := Verify(t.Context(), dir)
		if err != nil || !report.OK || !slices.Equal(states(report), want) {
			t.Errorf("%s: %v, %+v", dir, err, report)
		}
	}
	if err := os.Remove("prompts.jsonl"); err != nil {
		t.Fatal(err)
	}
	if report, err := Verify(t.Context(), "plain"); err != nil || !slices.Contains(states(report), "prompts: not here") {
		t.Errorf("without its prompts: %v, %+v", err, report)
	}
	if err := os.WriteFile(filepath.Join("plain", runstore.RevisionsFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := Verify(t.Context(), "plain")
	if !errors.Is(err, failure.ErrDiffers) || report.OK || !slices.Contains(states(report), "revisions: another") {
		t.Errorf("with other revisions: %v, %+v", err, report)
	}
	if _, err := Verify(t.Context(), "nowhere"); !errors.Is(err, runstore.ErrNotARun) {
		t.Errorf("no run: %v", err)
	}
}

func TestStatsAndEvaluateOldRuns(t *testing.T) {
	oldRuns(t)
	stats, err := Stats(t.Context(), "gated")
	if err != nil || stats.Rows != 5 || stats.Completed != 5 || len(stats.Rounds) != 3 || stats.Measured.TurnSeconds == 0 {
		t.Errorf("%v, %+v", err, stats)
	}
	outcome, err := EvaluateRun(t.Context(), quiet(), runEvaluation("plain"))
	if err != nil || outcome.Outcome == nil || len(outcome.Rounds) != 3 || outcome.Rounds[0].Rows != 3 || outcome.Foreign != 0 {
		t.Errorf("%v, %+v", err, outcome)
	}
}

// runEvaluation are the default settings for a run.
func runEvaluation(dir string) EvaluateRunConfig {
	c := DefaultEvaluateRunConfig()
	c.Run = dir
	return c
}

// TestEvaluateNothing: a run without rows has nothing to measure.
func TestEvaluateNothing(t *testing.T) {
	dir := t.TempDir()
	run, _, err := runstore.Open(dir, runstore.Manifest{Setup: runstore.Setup{Model: "other.gguf"}}, runstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	var input *failure.InputError
	if _, err := EvaluateRun(t.Context(), quiet(), runEvaluation(dir)); !errors.As(err, &input) || !strings.Contains(err.Error(), "no rows to measure") {
		t.Error(err)
	}
}
