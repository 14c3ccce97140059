package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestInterruptedRunContinues: a signal in the middle of a run saves the
// finished rows and says so by its exit code; the same command then does the
// rest, and the result is that of a run that was never interrupted.
func TestInterruptedRunContinues(t *testing.T) {
	tiny := tinyModel(t)
	dir := t.TempDir()
	var list strings.Builder
	for i := range 150 {
		fmt.Fprintf(&list, "Question number %d?\n", i)
	}
	promptsFile := filepath.Join(dir, "prompts.txt")
	if err := os.WriteFile(promptsFile, []byte(list.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	command := func(out string) []string {
		return []string{"run", "--model", tiny, "--chat", "plain", "--prompts", promptsFile, "--principles", "honesty", "--max-tokens", "6", "--revisions", "1", "--out", out, "--progress", "none"}
	}
	whole := filepath.Join(dir, "whole")
	if code := amendProcess(t, nil, command(whole)); code != exitDone {
		t.Fatalf("the uninterrupted run exited with %d", code)
	}
	out := filepath.Join(dir, "interrupted")
	for _, c := range []struct {
		signal os.Signal
		code   int
	}{{os.Interrupt, exitInterrupted}, {syscall.SIGTERM, exitStopped}, {nil, exitDone}} {
		if code := amendProcess(t, c.signal, command(out)); code != c.code {
			t.Fatalf("after %v the run exited with %d, want %d", c.signal, code, c.code)
		}
	}
	want, err := os.ReadFile(filepath.Join(whole, "revisions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(out, "revisions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("the interrupted and continued run has other revisions than the one that was not interrupted")
	}
}

// amendProcess runs amend in a process of its own and sends it a signal, if
// any, once it says that it runs. It returns the exit code.
func amendProcess(t *testing.T, sig os.Signal, args []string) int {
	t.Helper()
	cmd := amendCommand(t, args)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		t.Log(lines.Text())
		if sig != nil && strings.Contains(lines.Text(), "running") {
			if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return exitDone
}
