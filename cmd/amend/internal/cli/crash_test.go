package cli

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"amend/engine/runstore"
)

var (
	crashKills  = flag.Int("crash.kills", 8, "how often the run of TestKilledAnywhere is killed")
	crashRows   = flag.Int("crash.rows", 24, "its rows")
	crashWithin = flag.Duration("crash.within", 0, "how long a process lives at most; 0: such that the kills last for the run")
	crashModel  = flag.String("crash.model", "testbed", "its model")
)

// TestKilledAnywhere: a run that is killed at many instants, and continued each time, ends with the bytes of one that was
// left alone: its revisions and every export. No turn that was kept is computed again.
//
//	scripts/go test ./cmd/amend/internal/cli -run KilledAnywhere -v -args -crash.kills 200 -crash.rows 200 -crash.within 420ms
func TestKilledAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("runs amend many times")
	}
	dir := t.TempDir()
	promptsFile, err := filepath.Abs(filepath.Join("..", "..", "..", "..", "models", "testbed", "testdata", "heldout.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	command := func(out string) []string {
		return []string{"run", "--model", *crashModel, "--prompts", promptsFile, "--limit", strconv.Itoa(*crashRows), "--revisions", "2",
			"--max-tokens", "96", "--seed", "1", "--deterministic", "--out", out, "--progress", "none"}
	}
	whole, killed := filepath.Join(dir, "whole"), filepath.Join(dir, "killed")
	begun := time.Now()
	if code := amendProcess(t, nil, command(whole)); code != exitDone {
		t.Fatalf("the uninterrupted run exited with %d", code)
	}
	killedOften(t, command(killed), time.Since(begun))
	same(t, filepath.Join(whole, runstore.RevisionsFile), filepath.Join(killed, runstore.RevisionsFile))
	for _, format := range []string{"sft", "dpo", "raw"} {
		var sets []string
		for _, run := range []string{whole, killed} {
			set := run + "-" + format
			if code := amendProcess(t, nil, []string{"export", run, "--format", format, "--out", set}); code != exitDone {
				t.Fatalf("export of %s exited with %d", run, code)
			}
			sets = append(sets, filepath.Join(set, "data", "train-00000-of-00001.jsonl"))
		}
		same(t, sets[0], sets[1])
	}
}

// killedOften kills a command at many instants, continues it each time, and lets it end. alone is what it takes by itself.
func killedOften(t *testing.T, args []string, alone time.Duration) {
	t.Helper()
	limit := *crashWithin
	if limit == 0 { // a process needs a moment to load the model
		limit = time.Second + 2*alone/time.Duration(*crashKills)
	}
	random := rand.New(rand.NewPCG(1, 2))
	kills := 0
	for kills < *crashKills && killedRun(t, args, limit, random) {
		kills++
	}
	t.Logf("killed %d times within %v", kills, limit)
	if code := amendProcess(t, nil, args); code != exitDone {
		t.Fatalf("the killed command exited with %d", code)
	}
}

// killedRun starts a run and kills it at a random instant before limit: the parent, with
// which its engine dies. It returns false when the run ended before that.
func killedRun(t *testing.T, args []string, limit time.Duration, random *rand.Rand) bool {
	t.Helper()
	cmd := amendCommand(t, args)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(time.Duration(random.Int64N(int64(limit))), func() { _ = cmd.Process.Kill() }) // it may have ended
	defer timer.Stop()
	if _, err := io.Copy(io.Discard, stderr); err != nil { // until the engine has ended, too
		t.Fatal(err)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return err != nil
}

// amendCommand is amend in a process of its own: the test binary under that name (TestMain), which the processes that it
// starts have too.
func amendCommand(t *testing.T, args []string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	named := filepath.Join(filepath.Dir(self), "amend")
	if err := os.Link(self, named); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	return exec.Command(named, args...)
}

func same(t *testing.T, a, b string) {
	t.Helper()
	x, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Errorf("%s and %s differ", a, b)
	}
}
