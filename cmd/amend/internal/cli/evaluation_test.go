package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"amend/cmd/amend/internal/app"
	"amend/engine/runstore"
)

// evaluation is the command that measures the testbed model on questions about its world, without the directory.
func evaluation(t *testing.T, items int) []string {
	t.Helper()
	set := filepath.Join(t.TempDir(), "set.jsonl")
	if err := os.WriteFile(set, []byte(questions(t, items)), 0o666); err != nil {
		t.Fatal(err)
	}
	return []string{"eval", "--set", "truthfulqa", set, "--model", *crashModel, "--parallel", "4", "--deterministic", "--progress", "none"}
}

// questions are items whose answers are prompts of the world.
func questions(t *testing.T, n int) string {
	t.Helper()
	f, err := os.Open(heldout(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // only read
	var prompts []string
	for s := bufio.NewScanner(f); s.Scan() && len(prompts) < n; {
		var row struct{ Prompt string }
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatalf("%s: %v", s.Text(), err)
		}
		if row.Prompt != "" { // else it has several turns
			prompts = append(prompts, row.Prompt)
		}
	}
	var b strings.Builder
	for i, p := range prompts {
		other := prompts[(i+1)%len(prompts)]
		text, err := json.Marshal(map[string]any{
			"id": fmt.Sprint("q", i), "question": p, "best_answer": p, "correct_answers": []string{p}, "incorrect_answers": []string{other, "no"},
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(text, '\n'))
	}
	return b.String()
}

// itemsOf are the items of an evaluation that have a result, by their ids.
func itemsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, app.EvaluationItems))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		var item struct {
			ID     string
			Result struct{ Error string }
		}
		if err := json.Unmarshal([]byte(line), &item); err != nil {
			t.Fatal(err)
		}
		if item.Result.Error == "" {
			out[item.ID] = line
		}
	}
	return out
}

// TestEvaluationKilledAnywhere: an evaluation that is killed at many instants, and continued each time, ends with the results
// of one that was left alone, to the last bit of every log-probability.
//
//	scripts/go test ./cmd/amend/internal/cli -run TestEvaluationKilledAnywhere -v -timeout 60m -args -crash.kills 200 -crash.rows 300
func TestEvaluationKilledAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("runs amend many times")
	}
	dir := t.TempDir()
	whole, killed := filepath.Join(dir, "whole"), filepath.Join(dir, "killed")
	args := evaluation(t, *crashRows)
	command := func(out string) []string { return append(args[:len(args):len(args)], "--out", out) }
	results := func(out string) table { return table{filepath.Join(out, runstore.EvaluationFile), "results"} }
	k := newKiller(t, command(whole), results(whole))
	k.killOften(t, command(killed), results(killed))
	same(t, filepath.Join(whole, app.EvaluationItems), filepath.Join(killed, app.EvaluationItems))
	if n := len(itemsOf(t, whole)); n != *crashRows {
		t.Errorf("%d items have a result, want %d", n, *crashRows)
	}
}
