//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package runstore

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
)

// childDir makes the test binary a process that opens this run and waits for its standard input to close.
const childDir = "RUNSTORE_TEST_CHILD"

// childWrites makes that process write turns and rows, and print each when the store has taken it.
const childWrites = "RUNSTORE_TEST_CHILD_WRITES"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

func child(dir string) int {
	r, _, err := Open(dir, manifest(), Options{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("open")
	if os.Getenv(childWrites) != "" {
		return writeOn(r)
	}
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
	_, _, err = Open(dir, manifest(), Options{})
	var locked *LockedError
	host, _ := os.Hostname()
	if !errors.As(err, &locked) || locked.PID != cmd.Process.Pid || locked.Host != host {
		t.Fatalf("got %v, want a LockedError that names process %d on %s", err, cmd.Process.Pid, host)
	}
	read(t, dir) // looking is allowed
	if h, err := Held(dir); err != nil || h == nil || *h != (Holder{cmd.Process.Pid, host}) {
		t.Errorf("the run is held by %v (%v), want process %d on %s", h, err, cmd.Process.Pid, host)
	}

	// A process that is killed locks nothing, whatever its lock file says.
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child was not killed")
	}
	notHeld(t, dir)
	r, _ := open(t, dir, manifest())
	if _, _, err := Open(dir, manifest(), Options{}); !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Fatalf("a second open in one process: %v", err)
	}
	closeRun(t, r)
	notHeld(t, dir)
	open(t, dir, manifest())
}

// notHeld wants no process to have a run open.
func notHeld(t *testing.T, dir string) {
	t.Helper()
	if h, err := Held(dir); h != nil || err != nil {
		t.Errorf("the run is held by %v (%v), want none", h, err)
	}
}

// writeOn writes until the process is killed.
func writeOn(r *Run) int {
	for i := 0; ; i++ {
		if r.Done(record(i).ID) {
			continue
		}
		if err := r.Put(key(i), output(i)); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("turn", i)
		if err := r.Append(record(i)); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("row", i)
	}
}

// TestKilledWriter: whatever a killed process had been told is done, is done.
func TestKilledWriter(t *testing.T) {
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	for range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir, childWrites+"=1")
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(stdout)
		var told []string
		for n := 1 + random.IntN(20); lines.Scan(); n-- {
			told = append(told, lines.Text())
			if n == 0 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		r, _ := open(t, dir, manifest())
		for _, line := range told[1:] {
			var what string
			var i int
			if _, err := fmt.Sscan(line, &what, &i); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if what == "row" && !r.Done(record(i).ID) {
				t.Errorf("row %d was done and is not", i)
			}
			if o, ok, err := r.Get(key(i)); what == "turn" && (!ok || err != nil || o.Text != output(i).Text) {
				t.Errorf("turn %d was done and is not: %v", i, err)
			}
		}
		closeRun(t, r)
	}
}
