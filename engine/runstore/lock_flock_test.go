//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package runstore

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// childDir makes the test binary a process that opens this run and waits for its standard input to close.
const childDir = "RUNSTORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

func child(dir string) int {
	if _, _, err := Open(dir, manifest()); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("open")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return 1
	}
	return 0
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "open\n" {
		t.Fatalf("child: %q, %v", line, err)
	}
	_, _, err = Open(dir, manifest())
	var locked *LockedError
	host, _ := os.Hostname()
	if !errors.As(err, &locked) || locked.PID != cmd.Process.Pid || locked.Host != host {
		t.Fatalf("got %v, want a LockedError that names process %d on %s", err, cmd.Process.Pid, host)
	}
	read(t, dir) // looking is allowed

	// A process that is killed locks nothing, whatever its lock file says.
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child was not killed")
	}
	r, _ := open(t, dir, manifest())
	if _, _, err := Open(dir, manifest()); !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Fatalf("a second open in one process: %v", err)
	}
	closeRun(t, r)
	open(t, dir, manifest())
}
