package supervise

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"amend/engine"
	"amend/engine/chat"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// The test binary is also a child: a stand-in for an engine that does rows of one turn, some of them deadly.
const (
	childDir    = "SUPERVISE_TEST_DIR"    // of the run
	childDeadly = "SUPERVISE_TEST_DEADLY" // ids of rows that abort the process, separated by commas
	childMost   = "SUPERVISE_TEST_MOST"   // rows alive at once with which it is killed for want of memory; 0: never
	childHow    = "SUPERVISE_TEST_HOW"    // early: it dies before it opens the run; wait: it waits in its first row
	childAtMost = "SUPERVISE_TEST_AT_MOST"
)

const childRows = 8

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

func input(i int) revise.Row {
	return revise.Row{ID: fmt.Sprint("row", i), Index: i, Messages: []chat.Message{{Role: chat.User, Text: fmt.Sprint("question ", i)}}}
}

func key(i int) (k revise.Key) { k[0] = byte(i + 1); return k }

// turn is what the engine says in a row: text that ends inside a character, and a log-probability of 0.
func turn(i int) revise.TurnResult {
	zero := 0.0
	return revise.TurnResult{Tokens: []engine.Token{engine.Token(i)}, Text: fmt.Sprintf("answer %d \xc3", i), End: engine.EndToken, Limit: 9, Decoded: 1, LogProb: &zero}
}

// child does the rows that are not done, as many at once as it may.
func child(dir string) int {
	out, in := os.NewFile(3, "out"), os.NewFile(4, "in")
	s := Connect(in, out, func() { os.Exit(75) })
	how := os.Getenv(childHow)
	if how == "early" {
		die(syscall.SIGABRT)
	}
	if _, err := s.Open(dir, runstore.Manifest{Created: "2026-01-01"}, runstore.Options{}); err != nil {
		fmt.Println(err)
		code := 1
		var locked *runstore.LockedError
		if errors.As(err, &locked) {
			code = 2
		}
		must(s.Bye(code))
		return code
	}
	var alone, rest []revise.Row
	for i := range childRows {
		r := input(i)
		switch {
		case s.Done(r.ID):
		case slices.Contains(s.Orders().Alone, r.ID):
			alone = append(alone, r)
		default:
			rest = append(rest, r)
		}
	}
	for _, r := range alone {
		work(s, r)
	}
	atMost, err := strconv.Atoi(os.Getenv(childAtMost))
	must(err)
	if atMost == 0 {
		atMost = 4
	}
	for len(rest) > 0 {
		together := rest[:min(atMost, len(rest))]
		rest = rest[len(together):]
		work(s, together...)
	}
	must(s.Finish(nil))
	must(s.Bye(3))
	return 3
}

// work begins some rows, then finishes them.
func work(s *Store, rows ...revise.Row) {
	for _, r := range rows {
		must(s.Begin(r))
	}
	if os.Getenv(childHow) == "wait" {
		fmt.Println("waiting")
		select {}
	}
	if most, err := strconv.Atoi(os.Getenv(childMost)); err == nil && most > 0 && len(rows) >= most {
		die(syscall.SIGKILL)
	}
	for _, r := range rows {
		if _, ok, err := s.Get(key(r.Index)); !ok {
			must(err)
			must(s.Put(key(r.Index), turn(r.Index)))
		}
	}
	for _, r := range rows {
		if slices.Contains(strings.Split(os.Getenv(childDeadly), ","), r.ID) {
			fmt.Fprintln(os.Stderr, "GGML_ASSERT(n < 3) failed")
			die(syscall.SIGABRT)
		}
		must(s.Append(revise.Record{ID: r.ID, Index: r.Index, Turns: []revise.Turn{{Kind: revise.Response, Text: "done"}}}))
	}
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(42)
	}
}

func die(sig syscall.Signal) {
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		os.Exit(42)
	}
	select {}
}

// supervised runs children in dir, and gives their end and the warnings.
func supervised(t *testing.T, ctx context.Context, dir string, env ...string) (code int, warnings []string, err error) {
	t.Helper()
	var stderr strings.Builder
	code, err = Supervise(ctx, Engine{
		Command: func(atMost int) *exec.Cmd {
			stderr.Reset()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(append(os.Environ(), childDir+"="+dir, childAtMost+"="+strconv.Itoa(atMost), "GOTRACEBACK=none"), env...)
			cmd.Stdout, cmd.Stderr = os.Stdout, &stderr
			return cmd
		},
		Tail: func() string { line, _, _ := strings.Cut(stderr.String(), "\n"); return line },
		Warn: func(msg string, keyvals ...any) {
			warnings = append(warnings, fmt.Sprint(append([]any{msg}, keyvals...)...))
		},
	})
	return code, warnings, err
}

// rows are what a run holds: each row's error, by id.
func rows(t *testing.T, dir string) map[string]string {
	t.Helper()
	_, all, err := runstore.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for rec, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		out[rec.ID] = rec.Error
	}
	return out
}

// TestRun: a child that nothing happens to ends with its own code, and all it said is in the store.
func TestRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	code, warnings, err := supervised(t, t.Context(), dir)
	if code != 3 || err != nil || len(warnings) > 0 {
		t.Fatalf("code %d, %v, warnings %q", code, err, warnings)
	}
	if got := rows(t, dir); len(got) != childRows {
		t.Errorf("rows %v", got)
	}
	s, err := runstore.Look(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if o, ok, err := s.Get(key(5)); !ok || err != nil || !reflect.DeepEqual(o, turn(5)) {
		t.Errorf("turn 5: %+v %v %v", o, ok, err)
	}
}

// TestDeadlyRows: rows that kill the process are put aside with their reason, and only they; the others are done once.
func TestDeadlyRows(t *testing.T) {
	for _, deadly := range [][]string{{"row2"}, {"row1", "row3"}, {"row0", "row7"}, {"row4", "row5", "row6", "row7"}} {
		dir := filepath.Join(t.TempDir(), "run")
		code, warnings, err := supervised(t, t.Context(), dir, childDeadly+"="+strings.Join(deadly, ","))
		if code != 3 || err != nil || len(warnings) == 0 {
			t.Fatalf("%v: code %d, %v, warnings %q", deadly, code, err, warnings)
		}
		// Four rows run at once: one death among them, then each deadly one alone.
		if want := 1 + len(deadly); slices.Max(deadly) <= "row3" && len(warnings) != want {
			t.Errorf("%v: %d deaths, want %d: %q", deadly, len(warnings), want, warnings)
		}
		got := rows(t, dir)
		if len(got) != childRows {
			t.Errorf("%v: rows %v", deadly, got)
		}
		for id, why := range got {
			if slices.Contains(deadly, id) != (why != "") {
				t.Errorf("%v: row %s has the error %q", deadly, id, why)
			}
			if why != "" && !strings.Contains(why, "GGML_ASSERT(n < 3) failed") {
				t.Errorf("%v: the reason of row %s is %q", deadly, id, why)
			}
		}
	}
}

// TestOutOfMemory: a process that is killed for want of memory is started with fewer rows at once, and no row is blamed
// as long as that helps.
func TestOutOfMemory(t *testing.T) {
	for _, most := range []int{2, 3} {
		dir := filepath.Join(t.TempDir(), "run")
		code, warnings, err := supervised(t, t.Context(), dir, childMost+"="+strconv.Itoa(most))
		if code != 3 || err != nil {
			t.Fatalf("code %d, %v", code, err)
		}
		for id, why := range rows(t, dir) {
			if why != "" {
				t.Errorf("row %s: %s", id, why)
			}
		}
		if n := len(warnings); n == 0 || !strings.Contains(warnings[n-1], "fewer rows at once") {
			t.Errorf("warnings %q", warnings)
		}
	}
	dir := filepath.Join(t.TempDir(), "run") // one row is too much already
	if code, _, err := supervised(t, t.Context(), dir, childMost+"=1"); code != 3 || err != nil {
		t.Fatalf("code %d, %v", code, err)
	}
	for id, why := range rows(t, dir) {
		if !strings.Contains(why, "memory ran out") {
			t.Errorf("row %s: %q", id, why)
		}
	}
}

// TestDiesAtOnce: a process that dies before it does anything is not started for ever.
func TestDiesAtOnce(t *testing.T) {
	_, _, err := supervised(t, t.Context(), filepath.Join(t.TempDir(), "run"), childHow+"=early")
	if err == nil || !strings.Contains(err.Error(), "died 2 times before it began a row") {
		t.Errorf("%v", err)
	}
}

// TestSecondSupervisor: the second one's child is told who has the run.
func TestSecondSupervisor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	r, _, err := runstore.Open(dir, runstore.Manifest{Created: "2026-01-01"}, runstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if code, _, err := supervised(t, t.Context(), dir); code != 2 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
}

// TestOrphan: a child ends with its parent, whatever it is doing.
func TestOrphan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	parent := exec.Command(os.Args[0], "-test.run=^TestParentOfOrphan$", "-test.v")
	parent.Env = append(os.Environ(), "SUPERVISE_TEST_ORPHAN="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if line == "waiting\n" {
			break
		}
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// The child has the pipe too: it is closed when both are dead.
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	// The lock of the dead parent is none.
	r, _, err := runstore.Open(dir, runstore.Manifest{Created: "2026-01-01"}, runstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestParentOfOrphan is TestOrphan's parent process.
func TestParentOfOrphan(t *testing.T) {
	dir := os.Getenv("SUPERVISE_TEST_ORPHAN")
	if dir == "" {
		t.Skip("not a test of its own")
	}
	_, err := Supervise(t.Context(), Engine{Warn: func(string, ...any) {}, Command: func(int) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir, childHow+"=wait", childAtMost+"=1")
		cmd.Stdout = os.Stdout
		return cmd
	}})
	t.Fatal(err)
}

// canceller ends a context when something is written to it.
type canceller context.CancelCauseFunc

func (c canceller) Write(p []byte) (int, error) {
	c(Signal{os.Interrupt})
	return len(p), nil
}

// TestSignal: the signal that ends the context is passed on.
func TestSignal(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	var warnings []string
	_, err := Supervise(ctx, Engine{
		Warn: func(msg string, keyvals ...any) {
			warnings = append(warnings, fmt.Sprint(append([]any{msg}, keyvals...)...))
		},
		Command: func(int) *exec.Cmd {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childDir+"="+filepath.Join(t.TempDir(), "run"), childHow+"=wait", childAtMost+"=1")
			cmd.Stdout = canceller(cancel)
			return cmd
		},
	})
	if !errors.Is(err, context.Canceled) || len(warnings) != 1 || !strings.Contains(warnings[0], "interrupt") {
		t.Errorf("%v, warnings %q", err, warnings)
	}
}
