package train_test

import (
	"amend/engine/enginetest/need"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const model = "../../models/testbed/testbed.gguf"

// writeRows writes two rows of token ids, of which the second has the given
// number, and the first half of it. Answers have four of them.
func writeRows(t *testing.T, tokens int, answers ...string) string {
	t.Helper()
	var lines []byte
	for _, n := range []int{tokens / 2, tokens} {
		row := map[string][]int{"prompt_ids": slices.Repeat([]int{40}, n-4)}
		for _, key := range answers {
			row[key] = []int{41, 42, 43, 3}
		}
		// Of a pair's answers the last may be the only one that is too long.
		if len(answers) > 1 {
			row[answers[0]] = row[answers[0]][:2]
		}
		line, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(append(lines, line...), '\n')
	}
	file := filepath.Join(t.TempDir(), "tokens.jsonl")
	if err := os.WriteFile(file, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestMaxLength: rows of --max-length tokens are trained on, longer ones are
// refused. It needs a Python with requirements.txt, which brings gigabytes, and
// is skipped without:
//
//	PYTHON=DIR/bin/python scripts/go test ./scripts/train
func TestMaxLength(t *testing.T) {
	python := os.Getenv("PYTHON")
	if python == "" {
		need.Unmet(t, need.Python, "PYTHON names no interpreter with scripts/train/requirements.txt")
	}
	pair := []string{"chosen_ids", "rejected_ids"}
	known := writeRows(t, 40, pair...)
	for _, v := range []struct {
		name    string
		command []string
		answers []string
	}{
		{"sft", []string{"train.py", "sft", "--out", t.TempDir()}, []string{"completion_ids"}},
		{"dpo", []string{"train.py", "dpo", "--out", t.TempDir()}, pair},
		{"reward", []string{"reward.py", "--known", known}, pair},
	} {
		t.Run(v.name, func(t *testing.T) {
			train := func(tokens int) (string, error) {
				args := append(slices.Clone(v.command), "--model", model, "--tokens", writeRows(t, tokens, v.answers...),
					"--batch", "2", "--steps", "1", "--max-length", "24")
				text, err := exec.Command(python, args...).CombinedOutput()
				return string(text), err
			}
			if text, err := train(24); err != nil {
				t.Errorf("rows of 24 tokens: %v\n%s", err, text)
			}
			text, err := train(25)
			if want := "1 of 2 rows with more tokens than --max-length 24, the longest 25,"; err == nil || !strings.Contains(text, want) {
				t.Errorf("a row of 25 tokens: %v, want an error with %q\n%s", err, want, text)
			}
		})
	}
}
