package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"amend/cmd/amend/internal/render"
	"amend/engine/reward"
)

// TestOverOptimisation: a preference model that was taught that shorter answers are better chooses, of more samples, answers
// that it finds ever better and that are worse: they lose useful facts, and its curve shows it. One that was taught by the
// judge loses fewer, and breaks fewer rules.
func TestOverOptimisation(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for half a minute")
	}
	dir := t.TempDir()
	promptsFile, err := filepath.Abs(filepath.Join("..", "..", "..", "..", "models", "testbed", "testdata", "heldout.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	honest, biased := filepath.Join(dir, "honest"), filepath.Join(dir, "biased")
	for _, args := range [][]string{
		{"run", "--model", "testbed", "--prompts", promptsFile, "--limit", "150", "--samples", "8", "--revisions", "0", "--seed", "1", "--out", honest, "--progress", "none"},
		{"feedback", honest, "--draws", "4", "--seed", "1", "--progress", "none"},
		{"prefer", "train", honest, "--test", "0.5", "--out", filepath.Join(dir, "honest.json"), "--progress", "none"},
	} {
		if code := amendProcess(t, args); code != exitDone {
			t.Fatalf("%s exited with %d", args[0], code)
		}
	}
	if err := os.CopyFS(biased, os.DirFS(honest)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "run", "amend/scripts/testbed", "shorter", biased).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if code := amendProcess(t, []string{"prefer", "train", biased, "--test", "0.5", "--out", filepath.Join(dir, "biased.json"), "--progress", "none"}); code != exitDone {
		t.Fatalf("training on biased labels exited with %d", code)
	}
	good, bad := curveOf(t, honest, filepath.Join(dir, "honest.json")), curveOf(t, biased, filepath.Join(dir, "biased.json"))
	for i, s := range bad[1:] {
		if s.Score <= bad[i].Score {
			t.Errorf("best of %d: score %v, best of %d has %v", s.N, s.Score, bad[i].N, bad[i].Score)
		}
	}
	for i := range bad {
		tellCurve(t, "honest", good[i])
		tellCurve(t, "biased", bad[i])
	}
	first, last, honestLast := bad[0], bad[len(bad)-1], good[len(good)-1]
	if last.Known.Facts > first.Known.Facts-0.2 || last.Chars > 0.9*first.Chars {
		t.Errorf("the biased model's best of %d have %.2f facts in %.0f characters, one sample %.2f in %.0f", last.N, last.Known.Facts, last.Chars, first.Known.Facts, first.Chars)
	}
	if honestLast.Known.Facts <= last.Known.Facts || honestLast.Known.Violating.Share >= last.Known.Violating.Share {
		t.Errorf("the honest model's best of %d: %+v, the biased one's %+v", last.N, honestLast.Known, last.Known)
	}
}

func tellCurve(t *testing.T, name string, s reward.Step) {
	t.Logf("%s, best of %d of %d prompts: score %.2f, %s break a rule (%s), %s in the grammar, %.2f facts, %.0f characters", name, s.N, s.Prompts, s.Score,
		render.Share(s.Known.Violating), render.Interval(s.Known.Violating), render.Share(s.Known.InGrammar), s.Known.Facts, s.Chars)
}

// curveOf is what amend prefer best says of a run's samples.
func curveOf(t *testing.T, dir, model string) []reward.Step {
	t.Helper()
	out, err := amendCommand(t, []string{"prefer", "best", dir, "--preference", model, "--json", "--progress", "none"}).Output()
	if err != nil {
		t.Fatal(err)
	}
	var best struct{ Curve []reward.Step }
	if err := json.Unmarshal(out, &best); err != nil || len(best.Curve) == 0 {
		t.Fatalf("%v: %s", err, out)
	}
	return best.Curve
}
