package cli

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"amend/cmd/amend/internal/app"
	"amend/engine/enginetest/need"
	"amend/engine/runstore"
)

// The environment of a worker that is to die as C code does.
const (
	deadlyUnit = "AMEND_TEST_DEADLY" // the unit that aborts it
	mostUnits  = "AMEND_TEST_MOST"   // with more units under way it is killed, as one is that takes too much memory
)

// dieAsTold has this process die when it tells its parent that it begins what it is told to die of. passedOn waits until
// the parent has all that the process told it.
func dieAsTold() (passedOn func()) {
	unit, most := os.Getenv(deadlyUnit), os.Getenv(mostUnits)
	if len(os.Args) != 2 || os.Args[1] != app.WorkerCommand || unit+most == "" {
		return func() {}
	}
	const toParent = 3 // a worker's pipe, which gets a listener between
	r, w, err := os.Pipe()
	noError(err)
	pipe, err := syscall.Dup(toParent)
	noError(err)
	syscall.CloseOnExec(pipe)
	noError(syscall.Dup3(int(w.Fd()), toParent, syscall.O_CLOEXEC))
	noError(w.Close())
	over := make(chan struct{})
	go func() {
		defer close(over)
		noError(dieOf(&overheard{from: bufio.NewReader(r)}, os.NewFile(uintptr(pipe), "to the parent"), unit, most))
	}()
	return func() {
		noError(syscall.Close(toParent))
		<-over
	}
}

// check ends a process that is no test.
func noError(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "the worker of a test:", err)
		os.Exit(42)
	}
}

// overheard keeps what is read of it until it is passed on. gob reads no byte ahead of one that reads bytes.
type overheard struct {
	from *bufio.Reader
	kept bytes.Buffer
}

func (o *overheard) Read(p []byte) (int, error) {
	n, err := o.from.Read(p)
	o.kept.Write(p[:n])
	return n, err
}

func (o *overheard) ReadByte() (byte, error) {
	b, err := o.from.ReadByte()
	if err == nil {
		o.kept.WriteByte(b)
	}
	return b, err
}

// dieOf passes on what a worker tells its parent, a message at a time. Of what comes after the one that it dies of nothing
// is passed on: a unit may have ended by then.
func dieOf(told *overheard, parent io.Writer, deadly, most string) error {
	limit, err := strconv.Atoi(most)
	if most != "" && err != nil {
		return err
	}
	var under []string
	for dec := gob.NewDecoder(told); ; {
		var m struct{ Kind, Unit string }
		if err := dec.Decode(&m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if _, err := told.kept.WriteTo(parent); err != nil {
			return err
		}
		switch {
		case m.Unit == "":
		case m.Kind == "begin":
			under = append(under, m.Unit)
		default: // it ends
			under = slices.DeleteFunc(under, func(u string) bool { return u == m.Unit })
		}
		switch {
		case deadly != "" && slices.Contains(under, deadly):
			fmt.Fprintln(os.Stderr, "test.cpp:1: GGML_ASSERT(false) failed")
			return endBy(syscall.SIGABRT)
		case limit > 0 && len(under) > limit:
			return endBy(syscall.SIGKILL)
		}
	}
}

// endBy sends this process a signal, and waits until it has ended.
func endBy(sig syscall.Signal) error {
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		return err
	}
	select {}
}

// computation is a command that workers compute for.
type computation struct {
	unit string                                           // what it works on
	args []string                                         // of the command, except for those that name the directory
	dir  func(dir string) []string                        // those
	kept [2]string                                        // the file and table where its work is kept
	made func(t *testing.T, dir string) map[string]string // by unit

	alone bool // it needs nothing of what the ones before it made
}

func (c computation) command(dir string) []string { return append(slices.Clone(c.args), c.dir(dir)...) }

func (c computation) table(dir string) table { return table{filepath.Join(dir, c.kept[0]), c.kept[1]} }

// computations are run, feedback and prefer train, each of which works on what the one before it made, and eval.
func computations(t *testing.T) []computation {
	return []computation{{
		unit: "row", kept: [2]string{runstore.DatabaseFile, "turns"}, made: revisionsOf,
		args: []string{"run", "--model", "testbed", "--prompts", heldout(t), "--limit", "16", "--revisions", "1", "--max-tokens", "96", "--parallel", "4", "--seed", "1", "--deterministic", "--progress", "none"},
		dir:  func(dir string) []string { return []string{"--out", dir} },
	}, {
		unit: "pair", kept: [2]string{runstore.FeedbackFile, "answers"}, made: judgedOf,
		args: []string{"feedback", "--draws", "2", "--parallel", "4", "--seed", "1", "--deterministic", "--progress", "none"},
		dir:  func(dir string) []string { return []string{dir} },
	}, {
		unit: "response", kept: [2]string{runstore.StatesFile, "states"}, made: preferenceOf,
		args: []string{"prefer", "train", "--progress", "none"},
		dir:  func(dir string) []string { return []string{dir, "--out", dir + ".json"} },
	}, {
		unit: "item", kept: [2]string{runstore.EvaluationFile, "results"}, made: itemsOf, alone: true,
		args: evaluation(t, 24),
		dir:  func(dir string) []string { return []string{"--out", dir} },
	}}
}

// TestWorkerDies: a worker that dies is replaced, and the command ends as one that was left alone, except for what cannot be
// done.
func TestWorkerDies(t *testing.T) {
	if testing.Short() {
		t.Skip("runs amend many times")
	}
	whole := filepath.Join(t.TempDir(), "whole")
	for _, c := range computations(t) {
		before := filepath.Join(t.TempDir(), "before")
		if c.alone {
			whole = filepath.Join(t.TempDir(), "whole")
		}
		if _, err := os.Stat(whole); err == nil {
			copyDir(t, before, whole)
		}
		mustAmend(t, c.command(whole)...)
		tests := map[string]func(*testing.T, computation, string, string){"killed": workerKilled, "deadly": deadlyIsPutAside, "memory": fewerAtOnce}
		if c.unit == "response" { // they are read one at a time, and one that is put aside makes another preference model
			tests = map[string]func(*testing.T, computation, string, string){"killed": workerKilled, "continued": statesAreKept}
		}
		for name, test := range tests {
			t.Run(c.unit+" "+name, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "dir")
				if _, err := os.Stat(before); err == nil {
					copyDir(t, dir, before)
				}
				test(t, c, whole, dir)
			})
		}
	}
}

func copyDir(t *testing.T, to, from string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// judgedOf are the labels of pairs that could be judged.
func judgedOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := labelsOf(t, dir)
	maps.DeleteFunc(out, func(_, label string) bool { return strings.Contains(label, `"error":`) })
	return out
}

// revisionsOf are a run's rows that have a revision, by their ids.
func revisionsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	text, err := os.ReadFile(filepath.Join(dir, runstore.RevisionsFile))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		_, id, _ := strings.Cut(line, `"id":"`)
		id, _, _ = strings.Cut(id, `"`)
		out[id] = line
	}
	return out
}

// preferenceOf is the preference model that was trained.
func preferenceOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(dir + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"": string(text)}
}

// equalBut wants the same to be made, but for a unit that failed.
func equalBut(t *testing.T, whole, made map[string]string, failed string) {
	t.Helper()
	if len(whole) == 0 {
		t.Error("there is nothing")
	}
	for unit := range made {
		if _, ok := whole[unit]; !ok {
			t.Errorf("%q was made only where the worker died", unit)
		}
	}
	for unit, want := range whole {
		got, ok := made[unit]
		switch {
		case ok == (unit == failed && failed != ""):
			t.Errorf("%q: %v is there", unit, ok)
		case ok && got != want:
			t.Errorf("%q:\n%s\nof what was left alone\n%s", unit, got, want)
		}
	}
}

// workerKilled kills a worker from outside, when half of the work is kept.
func workerKilled(t *testing.T, c computation, whole, dir string) {
	p := startAmend(t, c.command(dir), "GOTRACEBACK=none")
	if !p.until(c.table(dir), c.table(whole).rows()/2) {
		t.Fatalf("it ended with %d before it was half done:\n%s", p.wait(), &p.log)
	}
	if err := syscall.Kill(childOf(t, p.cmd.Process.Pid), syscall.SIGSEGV); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(); code != exitDone {
		t.Fatalf("it exited with %d:\n%s", code, &p.log)
	}
	log := p.log.String()
	if !strings.Contains(log, "the worker process died") || !strings.Contains(log, "SIGSEGV: ") {
		t.Errorf("the death and its reason are not told:\n%s", log)
	}
	equalBut(t, c.made(t, whole), c.made(t, dir), "")
	if want, got := c.table(whole).rows(), c.table(dir).rows(); want != got {
		t.Errorf("%d are kept, and %d after the death", want, got)
	}
}

// deadlyIsPutAside has one unit abort each worker that begins it.
func deadlyIsPutAside(t *testing.T, c computation, whole, dir string) {
	made := c.made(t, whole)
	units := slices.Sorted(maps.Keys(made))
	deadly := units[len(units)/2]
	p := startAmend(t, c.command(dir), deadlyUnit+"="+deadly, "GOTRACEBACK=none")
	code := p.wait()
	log := p.log.String()
	if code != exitRowsFailed || strings.Count(log, "kills the worker process alone; it is put aside") != 1 || !strings.Contains(log, "GGML_ASSERT(false) failed") {
		t.Fatalf("it exited with %d:\n%s", code, log)
	}
	equalBut(t, made, c.made(t, dir), deadly)
}

// fewerAtOnce has each worker killed for want of memory that begins a second unit before the first has ended.
func fewerAtOnce(t *testing.T, c computation, whole, dir string) {
	p := startAmend(t, c.command(dir), mostUnits+"=1", "GOTRACEBACK=none")
	code := p.wait()
	log := p.log.String()
	if code != exitDone || strings.Count(log, "it is started again with fewer "+c.unit+"s at once") == 0 || strings.Contains(log, "put aside") {
		t.Fatalf("it exited with %d:\n%s", code, log)
	}
	equalBut(t, c.made(t, whole), c.made(t, dir), "")
}

// statesAreKept kills both processes, when half of the work is kept, and continues it: what is kept is not computed again.
func statesAreKept(t *testing.T, c computation, whole, dir string) {
	states := c.table(dir)
	all := c.table(whole).rows()
	p := startAmend(t, c.command(dir))
	if !p.until(states, all/2) {
		t.Fatalf("it ended with %d before it was half done:\n%s", p.wait(), &p.log)
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(); code != -1 || states.rows() == all {
		t.Fatalf("it was to be killed, ended with %d, and has %d states of %d", code, states.rows(), all)
	}
	rest := tokensRead(t, c.command(dir))
	equalBut(t, c.made(t, whole), c.made(t, dir), "")
	if again := tokensRead(t, c.command(dir)); again != 0 {
		t.Errorf("with all states kept %d tokens are read", again)
	}
	if err := os.Remove(states.file); err != nil {
		t.Fatal(err)
	}
	if every := tokensRead(t, c.command(dir)); rest == 0 || 4*rest > 3*every {
		t.Errorf("with half of the states kept %d tokens are read, and %d of all", rest, every)
	}
}

// tokensRead trains a preference model, and says how many tokens were read for their hidden states.
func tokensRead(t *testing.T, args []string) int {
	t.Helper()
	text, err := amendCommand(t, append(args, "--json")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var report app.PreferenceReport
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return report.Computed + report.Reused
}

// childOf finds the one child of a process.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) == 0 {
		need.Unmet(t, need.Children, "this kernel does not tell children")
	}
	var all string
	for _, path := range tasks { // a child is its starting thread's
		if text, err := os.ReadFile(path); err == nil {
			all += string(text)
		}
	}
	child, err := strconv.Atoi(strings.TrimSpace(all))
	if err != nil {
		t.Fatalf("the children of %d are %q", pid, all)
	}
	return child
}
