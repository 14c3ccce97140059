package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// terminal is an interactive shell in a terminal of its own. It knows the command amend.
type terminal struct {
	t      *testing.T
	master *os.File
	shell  *exec.Cmd

	mu    sync.Mutex
	shown bytes.Buffer // all that was written to the terminal
	over  bool         // nobody writes to it any more
}

// openTerminal opens a terminal of this many columns.
func openTerminal(t *testing.T, columns int) *terminal {
	t.Helper()
	x := &terminal{t: t, shell: exec.Command("bash", "--noprofile", "--norc", "--noediting", "-i")}
	x.shell.Env = append(os.Environ(), "PS1=$ ", "TERM=xterm", "AMEND="+amendCommand(t, nil).Path)
	var err error
	if x.master, err = pty.StartWithSize(x.shell, &pty.Winsize{Rows: 24, Cols: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.hangUp)
	go x.read()
	x.say(`amend() { "$AMEND" "$@"; }`)
	return x
}

// read takes what is written to the terminal.
func (x *terminal) read() {
	buf := make([]byte, 4096)
	for {
		n, err := x.master.Read(buf)
		x.mu.Lock()
		x.shown.Write(buf[:n])
		x.over = err != nil
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// screen is all that was written to the terminal, as it came.
func (x *terminal) screen() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.shown.String()
}

// say types a line.
func (x *terminal) say(line string) { x.key(line + "\n") }

// key types some characters.
func (x *terminal) key(text string) {
	x.t.Helper()
	if _, err := x.master.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
}

// The keys that send signals.
const (
	ctrlC = "\x03"
	ctrlZ = "\x1a"
)

// hangUp closes the terminal, and ends the shell.
func (x *terminal) hangUp() {
	_ = x.master.Close() // it may be closed
	_ = x.shell.Process.Kill()
	_ = x.shell.Wait() // it was killed
}

// until waits until something is so.
func (x *terminal) until(what string, is func() bool) {
	x.t.Helper()
	ctx, stop := context.WithTimeout(x.t.Context(), 3*time.Minute) // so that a test that hangs shows its screen
	defer stop()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-ctx.Done():
			x.t.Fatalf("still not so: %s; the screen:\n%s", what, x.screen())
		}
	}
}

// untilShown waits until the terminal shows what a pattern describes, and returns the first match of its group.
func (x *terminal) untilShown(pattern string) (found string) {
	x.t.Helper()
	re := regexp.MustCompile(pattern)
	x.until("the terminal shows "+pattern, func() bool {
		m := re.FindStringSubmatch(x.screen())
		if m != nil {
			found = m[len(m)-1]
		}
		return m != nil
	})
	return found
}

// exit is the exit code of a command that prints it as rc=CODE.
func (x *terminal) exit() string { x.t.Helper(); return x.untilShown(`rc=(\d+)`) }

// processes are the states of the processes of a group, by id.
func processes(t *testing.T, group string) map[string]string {
	t.Helper()
	stats, err := fs.Glob(os.DirFS("/proc"), "[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, name := range stats {
		text, err := os.ReadFile("/proc/" + name)
		if errors.Is(err, fs.ErrNotExist) || len(text) == 0 {
			continue // it has ended
		}
		// PID (COMMAND) STATE PARENT GROUP …
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) > 2 && fields[2] == group {
			states[strings.TrimSuffix(name, "/stat")] = fields[0]
		}
	}
	return states
}

// ignored are the signals that a process ignores, as bits.
func ignored(t *testing.T, pid string) (bits uint64) {
	t.Helper()
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, field, _ := strings.Cut(string(text), "SigIgn:")
	if _, err := fmt.Sscanf(field, "%x", &bits); err != nil {
		t.Fatal(err)
	}
	return bits
}

// quoted is a command line that a shell reads back.
func quoted(args []string) string {
	var b strings.Builder
	for _, a := range args {
		fmt.Fprintf(&b, "'%s' ", a)
	}
	return strings.TrimSpace(b.String())
}
