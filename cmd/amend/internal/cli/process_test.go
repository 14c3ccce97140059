package cli

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// process is amend in a process of its own.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	over chan struct{} // closed when it has ended and its standard error is closed
	log  bytes.Buffer  // its standard error, complete when it is over
}

// startAmend starts amend. env is added to the environment.
func startAmend(t *testing.T, args []string, env ...string) *process {
	t.Helper()
	cmd := amendCommand(t, args)
	cmd.Env = append(os.Environ(), env...)
	return startCommand(t, cmd)
}

// startCommand starts a command that starts amend.
func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, over: make(chan struct{})}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // where the test failed before it ended
	go func() {
		defer close(p.over)
		_, _ = io.Copy(&p.log, stderr) // until nobody has the other end
	}()
	return p
}

// wait waits for the end, and returns the exit code: -1 after a signal.
func (p *process) wait() int {
	p.t.Helper()
	<-p.over
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// until waits until a table has n rows. It returns false where the process ends before that.
func (p *process) until(tab table, n int) bool {
	return p.untilTrue(func() bool { return tab.rows() >= n })
}

// untilTrue waits until something is so. It returns false where the process ends before that.
func (p *process) untilTrue(is func() bool) bool {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-p.over:
			return false
		case <-look.C:
			if is() {
				return true
			}
		}
	}
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

// amendProcess runs amend in a process of its own and returns its exit code.
func amendProcess(t *testing.T, args []string, env ...string) int {
	t.Helper()
	p := startAmend(t, args, env...)
	code := p.wait()
	t.Logf("%s", &p.log)
	return code
}

// mustAmend runs amend, which is to succeed.
func mustAmend(t *testing.T, args ...string) {
	t.Helper()
	if code := amendProcess(t, args); code != exitDone {
		t.Fatalf("amend %v exited with %d", args, code)
	}
}

// table is one of a run's databases, whose rows are only ever added to.
type table struct{ file, name string }

// rows is how many the table has, also while another process adds to it: 0 where there is no table yet.
func (tab table) rows() (n int) {
	if _, err := os.Stat(tab.file); err != nil {
		return 0
	}
	conn, err := sqlite.OpenConn(tab.file, sqlite.OpenReadOnly)
	if err != nil {
		return 0
	}
	defer conn.Close()
	err = sqlitex.ExecuteTransient(conn, "SELECT max(rowid) FROM "+tab.name, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		n = s.ColumnInt(0)
		return nil
	}})
	if err != nil {
		return 0
	}
	return n
}

// heldout are prompts of the testbed's world.
func heldout(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "..", "..", "models", "testbed", "testdata", "heldout.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// same wants two files to have the same bytes.
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
