package cli

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"amend/engine/runstore"
)

// longRun is a run that is long enough to be stopped in the middle, on the testbed's model. Its results do not depend on how
// often it was stopped.
func longRun(t *testing.T, out string, more ...string) (args []string, rows table) {
	t.Helper()
	args = []string{"run", "--model", "testbed", "--prompts", heldout(t), "--limit", "60", "--revisions", "1", "--max-tokens", "96", "--tries", "0", "--parallel", "4",
		"--seed", "1", "--deterministic", "--out", out}
	return append(args, more...), table{filepath.Join(out, runstore.DatabaseFile), "rows"}
}

// whole is what a run writes that nobody stopped.
func whole(t *testing.T, more ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "whole")
	args, _ := longRun(t, out, append(more, "--progress", "none")...)
	mustAmend(t, args...)
	return filepath.Join(out, runstore.RevisionsFile)
}

// TestJobIsStoppedAndContinued: Ctrl-Z stops all three processes of a run, fg continues them, and the run ends as if nothing had
// happened.
func TestJobIsStoppedAndContinued(t *testing.T) {
	want, out := whole(t), filepath.Join(t.TempDir(), "run")
	args, rows := longRun(t, out)
	x := openTerminal(t, 80)
	x.say("amend " + quoted(args))
	x.until("a row is done", func() bool { return rows.rows() > 0 })
	x.key(ctrlZ)
	x.untilShown(`Stopped`)
	x.say("echo group=$(jobs -p)")
	group := x.untilShown(`group=(\d+)`)
	x.until("all processes are stopped", func() bool {
		states := processes(t, group)
		running := func(pid string) bool { return states[pid] != "T" }
		return len(states) == 3 && !slices.ContainsFunc(slices.Collect(maps.Keys(states)), running)
	})
	if n := rows.rows(); n == 60 {
		t.Error("the run was over before it was stopped")
	}
	for pid := range processes(t, group) {
		const mask = 1<<(syscall.SIGINT-1) | 1<<(syscall.SIGHUP-1)
		// The command heeds what a terminal sends, and the processes that it started leave that to it.
		if started := pid != group; started != (ignored(t, pid)&mask == mask) {
			t.Errorf("process %s of job %s ignores the signals %b", pid, group, ignored(t, pid))
		}
	}
	x.say("fg; echo rc=$?")
	if code := x.exit(); code != "0" {
		t.Errorf("after fg it exited with %s:\n%s", code, x.screen())
	}
	same(t, want, filepath.Join(out, runstore.RevisionsFile))
}

// TestJobOfATerminalThatStopsWriters: a run goes on in the foreground of a terminal after stty tostop, whatever shows its
// progress.
func TestJobOfATerminalThatStopsWriters(t *testing.T) {
	for _, progress := range []string{"none", "auto"} {
		args, _ := longRun(t, filepath.Join(t.TempDir(), "run"), "--limit", "4", "--progress", progress)
		x := openTerminal(t, 80)
		x.say("stty tostop; amend " + quoted(args) + "; echo rc=$?")
		if code := x.exit(); code != "0" {
			t.Errorf("%s: it exited with %s:\n%s", progress, code, x.screen())
		}
	}
}

// TestJobIsInterrupted: one Ctrl-C ends a run with 130, after the turns under way. It reaches parent, worker and template
// process; the worker says so once, and no row is lost by it.
func TestJobIsInterrupted(t *testing.T) {
	for name, model := range map[string][]string{
		"testbed":  nil,
		"template": {"--model", tinyModel(t), "--principles", "honesty", "--max-tokens", "24"},
	} {
		want, out := whole(t, model...), filepath.Join(t.TempDir(), "run")
		args, rows := longRun(t, out, model...)
		x := openTerminal(t, 80)
		x.say("amend " + quoted(args) + "; echo rc=$?")
		x.until("a row is done", func() bool { return rows.rows() > 0 })
		x.key(ctrlC)
		code, screen := x.exit(), x.screen()
		if code != "130" || !strings.Contains(screen, "the same command continues") || strings.Count(screen, "finishing the turns") != 1 {
			t.Errorf("%s: after Ctrl-C it exited with %s:\n%s", name, code, screen)
		}
		if n := rows.rows(); n == 60 {
			t.Errorf("%s: the run was over before it was interrupted", name)
		}
		mustAmend(t, args...)
		same(t, want, filepath.Join(out, runstore.RevisionsFile))
	}
}

// TestTerminalIsClosed: a run whose terminal is closed ends as after SIGTERM, however often its processes are told. The
// same command continues it.
func TestTerminalIsClosed(t *testing.T) {
	want, dir := whole(t), t.TempDir()
	out, code := filepath.Join(dir, "run"), filepath.Join(dir, "code")
	args, rows := longRun(t, out)
	x := openTerminal(t, 80)
	// The shell between outlives the hang-up, and keeps the exit code.
	x.say(fmt.Sprintf(`sh -c 'trap : HUP; "$AMEND" "$@"; echo $? >%s.new; mv %[1]s.new %[1]s' sh %s`, code, quoted(args)))
	x.until("a row is done", func() bool { return rows.rows() > 0 })
	x.hangUp()
	x.until("the run is over", func() bool { _, err := os.Stat(code); return err == nil })
	text, err := os.ReadFile(code)
	if err != nil || strings.TrimSpace(string(text)) != fmt.Sprint(exitStopped) {
		t.Fatalf("it exited with %s, %v:\n%s", text, err, x.screen())
	}
	mustAmend(t, args...)
	same(t, want, filepath.Join(out, runstore.RevisionsFile))
}

// TestHangUpIsIgnored: a run that nohup started goes on when its terminal is closed.
func TestHangUpIsIgnored(t *testing.T) {
	args, rows := longRun(t, filepath.Join(t.TempDir(), "run"), "--progress", "none")
	p := startCommand(t, exec.Command("nohup", append([]string{amendCommand(t, nil).Path}, args...)...))
	if !p.until(rows, 1) {
		t.Fatalf("it ended with %d:\n%s", p.wait(), &p.log)
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(); code != exitDone {
		t.Errorf("it exited with %d:\n%s", code, &p.log)
	}
}

// TestReaderIsGone: a run whose reader is gone ends by SIGPIPE, as other programs do. Where that comes when all rows are done,
// nothing is started again. One whose output is full says what is lost.
func TestReaderIsGone(t *testing.T) {
	for script, want := range map[string]int{
		`"$AMEND" "$@" --progress none --json | true; exit ${PIPESTATUS[0]}`:     128 + int(syscall.SIGPIPE),
		`"$AMEND" "$@" --progress none >/dev/full`:                               exitPermanent,
		`"$AMEND" "$@" --progress plain 2>&1 | head -n 1; exit ${PIPESTATUS[0]}`: 128 + int(syscall.SIGPIPE),
	} {
		out := filepath.Join(t.TempDir(), "run")
		args, rows := longRun(t, out, "--limit", "4")
		cmd := exec.Command("bash", append([]string{"-c", script, "bash"}, args...)...)
		cmd.Env = append(os.Environ(), "AMEND="+amendCommand(t, nil).Path)
		p := startCommand(t, cmd)
		if code := p.wait(); code != want || strings.Contains(p.log.String(), "started again") {
			t.Errorf("%s: it exited with %d:\n%s", script, code, &p.log)
		}
		if strings.Contains(script, "2>&1") {
			continue
		}
		if n := rows.rows(); n != 4 {
			t.Errorf("%s: %d rows are done", script, n)
		}
		if lost := "printing the result"; want == exitPermanent && !strings.Contains(p.log.String(), lost) {
			t.Errorf("%s: it does not say what is lost:\n%s", script, &p.log)
		}
	}
}
