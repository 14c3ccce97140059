package cli

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"amend/engine/enginetest/need"
	"amend/engine/runstore"
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
label() { "$AMEND" feedback --pairs "$pairs" --judge testbed --draws 2 --seed 1 --deterministic --out "$1" --progress none; echo "exit $?"; }
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
	if want, got := labelsOf(t, filepath.Join(dir, "whole")), labelsOf(t, filepath.Join(dir, "continued")); len(want) != 120 || !maps.Equal(want, got) {
		t.Errorf("%d labels, and %d or other ones where the disk was full", len(want), len(got))
	}
}
