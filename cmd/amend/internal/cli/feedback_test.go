package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"amend/engine/runstore"
)

// TestLabelsKilledAnywhere: labelling that is killed at many instants, and continued each time, ends with the labels of one that
// was left alone, to the last bit of every log-probability.
//
//	scripts/go test ./cmd/amend/internal/cli -run LabelsKilledAnywhere -v -args -crash.kills 200 -crash.rows 560 -crash.within 330ms
func TestLabelsKilledAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("runs amend many times")
	}
	dir := t.TempDir()
	promptsFile, err := filepath.Abs(filepath.Join("..", "..", "..", "..", "models", "testbed", "testdata", "heldout.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	whole, killed := filepath.Join(dir, "whole"), filepath.Join(dir, "killed")
	run := []string{"run", "--model", *crashModel, "--prompts", promptsFile, "--limit", strconv.Itoa(*crashRows), "--revisions", "1",
		"--max-tokens", "96", "--seed", "1", "--deterministic", "--out", whole, "--progress", "none"}
	if code := amendProcess(t, nil, run); code != exitDone {
		t.Fatalf("the run exited with %d", code)
	}
	if err := os.CopyFS(killed, os.DirFS(whole)); err != nil {
		t.Fatal(err)
	}
	command := func(run string) []string {
		return []string{"feedback", run, "--draws", "3", "--seed", "1", "--deterministic", "--progress", "none"}
	}
	begun := time.Now()
	if code := amendProcess(t, nil, command(whole)); code != exitDone {
		t.Fatalf("labelling exited with %d", code)
	}
	killedOften(t, command(killed), time.Since(begun))
	want, got := labelsOf(t, whole), labelsOf(t, killed)
	if len(want) == 0 || len(want) != len(got) {
		t.Fatalf("%d labels, and %d of the one that was killed", len(want), len(got))
	}
	for i := range want {
		if want[i] != got[i] {
			t.Errorf("label %d:\n%s\nkilled:\n%s", i, want[i], got[i])
		}
	}
}

// labelsOf are a directory's pairs with their labels, as JSON.
func labelsOf(t *testing.T, dir string) []string {
	t.Helper()
	set, err := runstore.ReadFeedback(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for l, err := range set.Labels {
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	return out
}
