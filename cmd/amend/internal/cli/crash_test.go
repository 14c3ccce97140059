package cli

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"amend/engine/runstore"
)

var (
	crashKills = flag.Int("crash.kills", 8, "how often the command of a crash test is killed")
	crashRows  = flag.Int("crash.rows", 24, "rows of its run")
	crashModel = flag.String("crash.model", "testbed", "its model")
)

// TestKilledAnywhere: a run that is killed at many instants, and continued each time, ends with the bytes of one that was
// left alone: its revisions and every export. It keeps as many turns.
//
//	scripts/go test ./cmd/amend/internal/cli -run TestKilledAnywhere -v -timeout 60m -args -crash.kills 200 -crash.rows 200
func TestKilledAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("runs amend many times")
	}
	dir := t.TempDir()
	command := func(out string) []string {
		return []string{"run", "--model", *crashModel, "--prompts", heldout(t), "--limit", strconv.Itoa(*crashRows), "--revisions", "2",
			"--max-tokens", "96", "--seed", "1", "--deterministic", "--out", out, "--progress", "none"}
	}
	whole, killed := filepath.Join(dir, "whole"), filepath.Join(dir, "killed")
	turns := func(run string) table { return table{filepath.Join(run, runstore.DatabaseFile), "turns"} }
	k := newKiller(t, command(whole), turns(whole))
	k.killOften(t, command(killed), turns(killed))
	same(t, filepath.Join(whole, runstore.RevisionsFile), filepath.Join(killed, runstore.RevisionsFile))
	if want, got := turns(whole).rows(), turns(killed).rows(); want != got {
		t.Errorf("%d turns are kept, and %d where the run was killed", want, got)
	}
	for _, format := range []string{"sft", "dpo", "raw"} {
		var sets []string
		for _, run := range []string{whole, killed} {
			set := run + "-" + format
			mustAmend(t, "export", run, "--format", format, "--out", set)
			sets = append(sets, filepath.Join(set, "data", "train-00000-of-00001.jsonl"))
		}
		same(t, sets[0], sets[1])
	}
}

// killer kills a command again and again.
type killer struct {
	random *rand.Rand
	all    int           // rows of a table that the command's work has in the end
	first  time.Duration // what a process takes to its first row
	step   time.Duration // what it takes from kill to kill
}

// newKiller runs the command by itself, which keeps its work in a table, and sees how long that takes.
func newKiller(t *testing.T, args []string, tab table) *killer {
	t.Helper()
	begun := time.Now()
	p := startAmend(t, args)
	p.until(tab, 1)
	first := time.Since(begun)
	if code := p.wait(); code != exitDone {
		t.Fatalf("the command exited with %d:\n%s", code, &p.log)
	}
	k := &killer{random: rand.New(rand.NewPCG(1, 2)), all: tab.rows(), first: first}
	k.step = (time.Since(begun) - first) / time.Duration(*crashKills+1)
	if k.all < *crashKills {
		t.Fatalf("%d kills are too many for work of %d turns or answers", *crashKills, k.all)
	}
	return k
}

// killOften kills a command, continues it each time, and lets it end after the last kill. It kills the
// parent process; its worker ends by itself. A kill comes a moment after the table has some rows more. The last one comes
// when nine tenths of the rows are there. Each fourth comes before the process has kept anything. Nearly all kills must hit.
func (k *killer) killOften(t *testing.T, args []string, tab table) {
	t.Helper()
	hits, kept := 0, 0
	for hits < *crashKills && k.kill(t, args, tab, hits) {
		hits++
		rows := tab.rows()
		if rows < kept {
			t.Fatalf("after kill %d only %d of %d rows are there", hits, rows, kept)
		}
		kept = rows
	}
	t.Logf("killed %d times, the last time with %d of %d turns or answers kept", hits, kept, k.all)
	if most := *crashKills/20 + 1; hits < *crashKills-most {
		t.Fatalf("%d of %d kills hit, and at most %d may be missed", hits, *crashKills, most)
	}
	mustAmend(t, args...)
}

// kill starts the command and kills it. It returns false where the command ended before that.
func (k *killer) kill(t *testing.T, args []string, tab table, kills int) bool {
	t.Helper()
	before, begun := tab.rows(), time.Now()
	p := startAmend(t, args)
	wait := k.first
	if kills%4 < 3 && p.until(tab, before+1) {
		k.first, wait = time.Since(begun), k.step
		p.until(tab, k.all*9/10*(kills+1)/(*crashKills+1))
	}
	select {
	case <-time.After(time.Duration(k.random.Int64N(int64(wait)))):
		_ = p.cmd.Process.Kill() // it may have ended
	case <-p.over:
	}
	code := p.wait()
	if code != -1 && code != exitDone {
		t.Fatalf("the command that was to be killed exited with %d:\n%s", code, &p.log)
	}
	return code == -1
}
