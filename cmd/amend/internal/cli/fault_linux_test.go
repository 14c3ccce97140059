package cli

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"amend/engine/runstore"
	"amend/internal/need"
)

// withOwnMounts runs a script of bash in a namespace where it may mount file systems, with amend in $AMEND, and returns what it wrote.
func withOwnMounts(t *testing.T, script string, args ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs amend several times")
	}
	if text, err := exec.Command("unshare", "-rm", "true").CombinedOutput(); err != nil {
		need.Unmet(t, need.Namespaces, "no namespaces here: %v %s", err, text)
	}
	cmd := exec.Command("unshare", append([]string{"-rm", "bash", "-c", script, "bash"}, args...)...)
	cmd.Env = append(os.Environ(), "AMEND="+amendCommand(t, nil).Path)
	text, err := cmd.CombinedOutput()
	t.Logf("%s", text)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDisk: a disk that is full stops a run with the cause, and when there is room again the same command ends as one that
// had room from the start; one that is read-only can be read. It needs a file system of its own, in a namespace of its own.
func TestDisk(t *testing.T) {
	tiny := tinyModel(t)
	dir := t.TempDir()
	prompts := filepath.Join(dir, "prompts.txt")
	if err := os.WriteFile(prompts, []byte(strings.Repeat("Why is it so?\n", 40)), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `
set -u
dir=$1 model=$2 prompts=$3
amend() { "$AMEND" "$@"; }
run() { amend run --model "$model" --chat plain --principles honesty --prompts "$prompts" --max-tokens 32 --revisions 1 --seed 1 --out "$1" --progress none; echo "exit $?"; }
mkdir "$dir/small"
mount -t tmpfs -o size=300k none "$dir/small" || exit 1
run "$dir/small/run"
mount -o remount,size=64m "$dir/small" || exit 1
run "$dir/small/run"
run "$dir/whole"
cmp "$dir/whole/revisions.jsonl" "$dir/small/run/revisions.jsonl" && echo "the same revisions"
mount -o remount,ro "$dir/small" || exit 1
amend stats "$dir/small/run" | head -1
run "$dir/small/run"
mount -o remount,rw "$dir/small" || exit 1
printf 'no page of a database' | dd of="$dir/small/run/run.db" bs=4096 seek=1 conv=notrunc status=none
run "$dir/small/run"
`
	text := withOwnMounts(t, script, dir, tiny, prompts)
	rest := text
	for _, want := range []string{
		"run.db", "the same command continues", "exit 75", // no room
		"exit 0",              // room
		"exit 0",              // a disk that always had it
		"the same revisions",  // of both
		"rows      40: 40 co", // read-only
		"read-only", "exit 42",
		"restore it from a copy", "exit 42", // damaged
	} {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("no %q where it should be", want)
		}
		rest = after
	}
}

// TestDiskOfLabels: a disk that is full stops labelling with the cause, and with room again the same command ends with the labels of
// one that had room from the start.
func TestDiskOfLabels(t *testing.T) {
	dir := t.TempDir()
	var set strings.Builder
	for i := range 120 {
		fmt.Fprintf(&set, `{"prompt":"Why is it so, %d?","chosen":"Because of the wind.","rejected":"Nobody knows. %s"}`+"\n", i, strings.Repeat("Really. ", 20))
	}
	pairs := filepath.Join(dir, "pairs.jsonl")
	if err := os.WriteFile(pairs, []byte(set.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `
set -u
dir=$1 pairs=$2
label() { "$AMEND" feedback --pairs "$pairs" --draws 2 --seed 1 --deterministic --out "$1" --progress none; echo "exit $?"; }
mkdir "$dir/small"
mount -t tmpfs -o size=300k none "$dir/small" || exit 1
label "$dir/small/labels"
mount -o remount,size=64m "$dir/small" || exit 1
label "$dir/small/labels"
label "$dir/whole"
cp -r "$dir/small/labels" "$dir/continued"
`
	text := withOwnMounts(t, script, dir, pairs)
	stopped, rest, ok := strings.Cut(text, "exit 75")
	if !ok || !strings.Contains(stopped, runstore.FeedbackFile) || strings.Count(rest, "exit 0") != 2 {
		t.Fatal("it does not stop with the cause, or does not go on")
	}
	if want, got := labelsOf(t, filepath.Join(dir, "whole")), labelsOf(t, filepath.Join(dir, "continued")); len(want) != 120 || !slices.Equal(want, got) {
		t.Errorf("%d labels, and %d or other ones where the disk was full", len(want), len(got))
	}
}

// TestEngineKilledAlone: a run whose engine is killed goes on by itself and ends as one that was left alone.
func TestEngineKilledAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("runs amend twice")
	}
	dir := t.TempDir()
	held, err := filepath.Abs(filepath.Join("..", "..", "..", "..", "models", "testbed", "testdata", "heldout.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	command := func(out string) []string {
		return []string{"run", "--prompts", held, "--limit", "24", "--revisions", "1", "--max-tokens", "96", "--seed", "1", "--deterministic", "--out", out, "--progress", "none"}
	}
	whole, killed := filepath.Join(dir, "whole"), filepath.Join(dir, "killed")
	if code := amendProcess(t, nil, command(whole)); code != exitDone {
		t.Fatalf("the run that is left alone exited with %d", code)
	}
	cmd := amendCommand(t, command(killed))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deaths := 0
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if strings.Contains(lines.Text(), "running") && deaths == 0 {
			deaths++
			kill(t, childOf(t, cmd.Process.Pid))
		}
		if strings.Contains(lines.Text(), "tried one at a time") && !strings.Contains(lines.Text(), "SIGSEGV") {
			t.Errorf("the reason is not told: %s", lines.Text())
		}
	}
	if err := cmd.Wait(); err != nil || deaths != 1 {
		t.Fatalf("%v after %d deaths", err, deaths)
	}
	same(t, filepath.Join(whole, "revisions.jsonl"), filepath.Join(killed, "revisions.jsonl"))
}

// childOf finds the one child of a process.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		need.Unmet(t, need.Children, "this kernel does not tell children: %v", err)
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range tasks { // a child is its starting thread's
		if text, err = os.ReadFile(path); err == nil && len(text) > 0 {
			break
		}
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatalf("the children of %d are %q", pid, text)
	}
	return child
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSEGV); err != nil {
		t.Fatal(err)
	}
}
