package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"amend/engine/prefer"
	"amend/engine/runstore"
)

// TestOverOptimisation: a preference model that was taught that shorter answers are better chooses, of more samples, answers
// that it finds ever better and that are worse: they lose useful facts, and its curve shows it. One that was taught by the
// judge loses fewer, and breaks fewer rules.
func TestOverOptimisation(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for half a minute")
	}
	dir := t.TempDir()
	promptsFile, err := filepath.Abs(filepath.Join("..", "..", "models", "testbed", "testdata", "heldout.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	honest, biased := filepath.Join(dir, "honest"), filepath.Join(dir, "biased")
	for _, args := range [][]string{
		{"run", "--prompts", promptsFile, "--limit", "150", "--samples", "8", "--revisions", "0", "--seed", "1", "--out", honest, "--progress", "none"},
		{"feedback", honest, "--draws", "4", "--seed", "1", "--progress", "none"},
		{"prefer", "train", honest, "--test", "0.5", "--out", filepath.Join(dir, "honest.json"), "--progress", "none"},
	} {
		if code := amendProcess(t, nil, args); code != exitDone {
			t.Fatalf("%s exited with %d", args[0], code)
		}
	}
	if err := os.CopyFS(biased, os.DirFS(honest)); err != nil {
		t.Fatal(err)
	}
	preferShorter(t, biased)
	if code := amendProcess(t, nil, []string{"prefer", "train", biased, "--test", "0.5", "--out", filepath.Join(dir, "biased.json"), "--progress", "none"}); code != exitDone {
		t.Fatalf("training on biased labels exited with %d", code)
	}
	good, bad := curveOf(t, honest, filepath.Join(dir, "honest.json")), curveOf(t, biased, filepath.Join(dir, "biased.json"))
	for i, s := range bad[1:] {
		if s.Score <= bad[i].Score {
			t.Errorf("best of %d: score %v, best of %d has %v", s.N, s.Score, bad[i].N, bad[i].Score)
		}
	}
	first, last, honestLast := bad[0], bad[len(bad)-1], good[len(good)-1]
	t.Logf("first %.2f facts, %.0f characters; biased %.2f, %.0f, %.1f %% break a rule; honest %.2f, %.0f, %.1f %%", *first.Facts, first.Chars,
		*last.Facts, last.Chars, 100*last.Violating.Share, *honestLast.Facts, honestLast.Chars, 100*honestLast.Violating.Share)
	if *last.Facts > *first.Facts-0.2 || last.Chars > 0.9*first.Chars {
		t.Errorf("the biased model's best of %d have %.2f facts in %.0f characters, one sample %.2f in %.0f", last.N, *last.Facts, last.Chars, *first.Facts, first.Chars)
	}
	if *honestLast.Facts <= *last.Facts || honestLast.Violating.Share >= last.Violating.Share {
		t.Errorf("the honest model's best of %d: %+v, the biased one's %+v", last.N, honestLast, last)
	}
}

// preferShorter replaces the labels of a directory.
func preferShorter(t *testing.T, dir string) {
	t.Helper()
	set, err := runstore.ReadFeedback(dir)
	if err != nil {
		t.Fatal(err)
	}
	set.Settings.Source += ", shorter is better"
	store, err := runstore.OpenFeedback(dir, set.Settings)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	for l, err := range set.Labels {
		if err != nil {
			t.Fatal(err)
		}
		p := 0.05
		if len(l.Pair.First) < len(l.Pair.Second) {
			p = 0.95
		}
		l.Label.P = &p
		if err := store.Append(l.Pair, l.Label, set.Done); err != nil {
			t.Fatal(err)
		}
	}
}

// curveOf is what amend prefer best says of a run's samples.
func curveOf(t *testing.T, dir, model string) []prefer.Step {
	t.Helper()
	out, err := amendCommand(t, []string{"prefer", "best", dir, "--preference", model, "--json", "--progress", "none"}).Output()
	if err != nil {
		t.Fatal(err)
	}
	var best struct{ Curve []prefer.Step }
	if err := json.Unmarshal(out, &best); err != nil || len(best.Curve) != 4 {
		t.Fatalf("%v: %s", err, out)
	}
	return best.Curve
}
