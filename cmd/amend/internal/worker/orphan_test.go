//go:build unix

package worker

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// startParent starts a process whose worker never ends by itself, and waits until the worker is there. lines are what the
// two print: the end of them is that of both.
func startParent(t *testing.T) (cmd *exec.Cmd, lines *bufio.Reader) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(self)
	cmd.Env = append(os.Environ(), mode+"="+asParent)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // where the test failed
	lines = bufio.NewReader(out)
	wantLine(t, lines, "waiting")
	return cmd, lines
}

func wantLine(t *testing.T, lines *bufio.Reader, want string) {
	t.Helper()
	if line, err := lines.ReadString('\n'); err != nil || line != want+"\n" {
		t.Fatalf("%q, %v, want %s", line, err, want)
	}
}

// mainOfParent is that process. It says when its worker waits, and when a signal has told it to end.
func mainOfParent() {
	ctx, stop := WithSignals(context.Background(), func() { fmt.Println("at once") })
	defer stop()
	context.AfterFunc(ctx, func() { fmt.Println("told") })
	_, err := Supervise(ctx, spawner(os.Stdout, os.Stderr), Job{Kind: "hang"}, Host{
		Unit: "row", Log: slog.New(slog.DiscardHandler), Notify: func(topic string, _ []byte) { fmt.Println(topic) },
	})
	fmt.Println(err)
	os.Exit(1)
}

// TestOrphan: a worker ends with its parent, whatever it is doing.
func TestOrphan(t *testing.T) {
	cmd, lines := startParent(t)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
}

// TestAtOnce: after any signal a Ctrl-C ends a process and its worker at once, by that signal and with a word before. Other
// signals do nothing any more.
func TestAtOnce(t *testing.T) {
	for _, first := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		cmd, lines := startParent(t)
		for i, s := range []syscall.Signal{first, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				wantLine(t, lines, "told")
			}
		}
		wantLine(t, lines, "at once")
		if left, err := io.ReadAll(lines); err != nil || len(left) > 0 {
			t.Errorf("%v: %q, %v", first, left, err)
		}
		_ = cmd.Wait() // the state says how it ended
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGINT {
			t.Errorf("%v: it ended by %v", first, cmd.ProcessState)
		}
	}
}
