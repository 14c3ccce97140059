package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"amend/engine/enginetest/need"
	"amend/models"
)

// TestTraining makes a model in a few steps, stops in between and goes on: corpus, tokenizer, training, GGUF. It needs
// a Python with requirements.txt, which brings gigabytes, and is skipped without:
//
//	PYTHON=DIR/bin/python scripts/go test -run Training ./scripts/testbed
func TestTraining(t *testing.T) {
	python := os.Getenv("PYTHON")
	if python == "" {
		need.Unmet(t, need.Python, "PYTHON names no interpreter with scripts/testbed/requirements.txt")
	}
	work, out := t.TempDir(), t.TempDir()
	train := func(steps string) string {
		t.Helper()
		cmd := exec.Command("./make-model", work)
		cmd.Env = append(os.Environ(), "STEPS="+steps, "OUT="+out, "PYTHON="+python)
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return string(text)
	}
	train("2")
	model := filepath.Join(out, "testbed.gguf")
	m, err := models.Open(model)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Generative(); err != nil {
		t.Error(err)
	}
	before, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	if text := train("4"); !strings.Contains(text, "resuming after step 2") {
		t.Errorf("training began again:\n%s", text)
	}
	after, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) == string(after) {
		t.Error("two more steps changed nothing")
	}
}
