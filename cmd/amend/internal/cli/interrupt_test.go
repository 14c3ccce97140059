package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"amend/engine/runstore"
)

// TestInterruptedRunContinues: a signal in the middle of a run saves what is finished and says so by its exit code; the same
// command then does the rest, and the result is that of a run that was never interrupted.
func TestInterruptedRunContinues(t *testing.T) {
	tiny := tinyModel(t)
	dir := t.TempDir()
	const prompts = 150
	var list strings.Builder
	for i := range prompts {
		fmt.Fprintf(&list, "Question number %d?\n", i)
	}
	promptsFile := filepath.Join(dir, "prompts.txt")
	if err := os.WriteFile(promptsFile, []byte(list.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	command := func(out string) []string {
		return []string{"run", "--model", tiny, "--chat", "plain", "--prompts", promptsFile, "--principles", "honesty", "--max-tokens", "6", "--revisions", "1", "--out", out, "--progress", "none"}
	}
	whole, out := filepath.Join(dir, "whole"), filepath.Join(dir, "interrupted")
	mustAmend(t, command(whole)...)
	rows := table{filepath.Join(out, runstore.DatabaseFile), "rows"}
	for _, c := range []struct {
		signal os.Signal
		at     int // rows that are done
		code   int
	}{{os.Interrupt, 1, exitInterrupted}, {syscall.SIGHUP, prompts / 3, exitStopped}, {syscall.SIGTERM, prompts / 2, exitStopped}} {
		p := startAmend(t, command(out))
		if !p.until(rows, c.at) {
			t.Fatalf("the run ended with %d before it had %d rows:\n%s", p.wait(), c.at, &p.log)
		}
		if err := p.cmd.Process.Signal(c.signal); err != nil {
			t.Fatal(err)
		}
		if code := p.wait(); code != c.code {
			t.Fatalf("after %v the run exited with %d, want %d:\n%s", c.signal, code, c.code, &p.log)
		}
		if n := rows.rows(); n < c.at || n == prompts {
			t.Fatalf("after %v %d rows are done", c.signal, n)
		}
	}
	mustAmend(t, command(out)...)
	same(t, filepath.Join(whole, runstore.RevisionsFile), filepath.Join(out, runstore.RevisionsFile))
}

// TestInterruptedQuantize: a signal ends amend model quantize at once, and leaves no part of a file.
func TestInterruptedQuantize(t *testing.T) {
	for signal, want := range map[os.Signal]int{os.Interrupt: exitInterrupted, syscall.SIGTERM: exitStopped} {
		dir := t.TempDir()
		p := startAmend(t, []string{"model", "quantize", "smollm2", "--type", "Q4_K_M", "--threads", "1", "--out", filepath.Join(dir, "small.gguf")})
		if !p.untilTrue(func() bool { return len(files(t, dir)) > 0 }) {
			t.Fatalf("it ended with %d before it wrote anything:\n%s", p.wait(), &p.log)
		}
		if err := p.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if code := p.wait(); code != want {
			t.Errorf("after %v it exited with %d, want %d:\n%s", signal, code, want, &p.log)
		}
		if left := files(t, dir); len(left) > 0 {
			t.Errorf("after %v it leaves %v", signal, left)
		}
	}
}

// files are the names in a folder.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
