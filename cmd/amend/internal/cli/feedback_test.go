package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"amend/engine/runstore"
)

// TestLabelsKilledAnywhere: labelling that is killed at many instants, and continued each time, ends with the labels of one
// that was left alone, to the last bit of every log-probability. It keeps as many answers.
//
//	scripts/go test ./cmd/amend/internal/cli -run TestLabelsKilledAnywhere -v -timeout 60m -args -crash.kills 200 -crash.rows 75
func TestLabelsKilledAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("runs amend many times")
	}
	dir := t.TempDir()
	whole, killed := filepath.Join(dir, "whole"), filepath.Join(dir, "killed")
	mustAmend(t, "run", "--model", *crashModel, "--prompts", heldout(t), "--limit", strconv.Itoa(*crashRows), "--samples", "4", "--revisions", "0",
		"--max-tokens", "96", "--seed", "1", "--deterministic", "--out", whole, "--progress", "none")
	if err := os.CopyFS(killed, os.DirFS(whole)); err != nil {
		t.Fatal(err)
	}
	command := func(run string) []string {
		return []string{"feedback", run, "--draws", "3", "--parallel", "4", "--seed", "1", "--deterministic", "--progress", "none"}
	}
	answers := func(run string) table { return table{filepath.Join(run, runstore.FeedbackFile), "answers"} }
	k := newKiller(t, command(whole), answers(whole))
	k.killOften(t, command(killed), answers(killed))
	if want, got := answers(whole).rows(), answers(killed).rows(); want != got {
		t.Errorf("%d answers are kept, and %d where labelling was killed", want, got)
	}
	want, got := labelsOf(t, whole), labelsOf(t, killed)
	if len(want) == 0 || len(want) != len(got) {
		t.Fatalf("%d labels, and %d where labelling was killed", len(want), len(got))
	}
	for id, label := range want {
		if got[id] != label {
			t.Errorf("pair %s:\n%s\nkilled:\n%s", id, label, got[id])
		}
	}
}

// labelsOf are the labels of a directory's pairs by their ids, as JSON.
func labelsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	set, err := runstore.ReadFeedback(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for l, err := range set.Labels {
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		out[l.Pair.ID] = string(text)
	}
	return out
}
