package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"amend/models"
)

// TestMain makes the test binary also be amend, for the scripts and for the
// template process that amend starts from its own file.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"amend": func() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the command line as a person would: testdata/script. The
// scripts have $TINY, a model of random weights with SmolLM2's tokenizer and
// template; what it writes is noise, how amend behaves is not.
func TestScripts(t *testing.T) {
	tiny := tinyModel(t)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("TINY", tiny)
			env.Setenv("LD_LIBRARY_PATH", os.Getenv("LD_LIBRARY_PATH"))
			env.Setenv("DYLD_LIBRARY_PATH", os.Getenv("DYLD_LIBRARY_PATH"))
			env.Setenv("OMP_NUM_THREADS", "2")
			env.Setenv("OMP_WAIT_POLICY", "passive") // scripts run side by side: threads that wait leave the cores to others
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exit": exitIs},
	})
}

// exitIs runs a command and wants an exit code: exit CODE COMMAND ARG…
func exitIs(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exit CODE COMMAND ARG…")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%v exited with %d, want %d", args[1:], got, want)
	}
}

// tinyModel makes a model of random weights, with SmolLM2's tokenizer and
// template, until the test ends.
func tinyModel(t *testing.T) string {
	t.Helper()
	path, err := models.CachesFrom(os.Getenv).Resolve("smollm2")
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := models.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	shape, err := models.ParseShape("tiny")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "tiny.gguf")
	if _, err := models.Synth(t.Context(), out, models.Spec{Shape: shape, Quant: "Q8_0", Seed: 1, Tokenizer: tokenizer}, false, nil); err != nil {
		t.Fatal(err)
	}
	return out
}
