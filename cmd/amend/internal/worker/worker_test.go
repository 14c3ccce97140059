//go:build unix

package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// parent is a host that keeps what workers do.
type parent struct {
	t      *testing.T
	job    Job
	ctx    context.Context
	notify func(topic string, body []byte)
	stderr io.Writer // also

	lives int
	done  map[string]int    // how often a unit was done
	aside map[string]string // why units were put aside
	log   bytes.Buffer
	said  bytes.Buffer // by workers, on their standard error
}

func newParent(t *testing.T, kind string, payload []byte) *parent {
	return &parent{t: t, ctx: t.Context(), job: Job{Kind: kind, Payload: payload}, done: map[string]int{}, aside: map[string]string{}}
}

// newScript is newParent for a job of units.
func newScript(t *testing.T, s script) *parent {
	t.Helper()
	payload, err := encode(s)
	if err != nil {
		t.Fatal(err)
	}
	return newParent(t, "units", payload)
}

func (p *parent) host() Host {
	h := slog.NewTextHandler(&p.log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	return Host{
		Unit: "row", Log: slog.New(h), Notify: p.notify,
		PutAside: func(unit, why string) error { p.aside[unit] = why; return nil },
		Methods: Methods{
			"open":   NewMethod(p.open),
			"append": NewMethod(func(unit string) (n Nothing, err error) { p.done[unit]++; return n, nil }),
			"refuse": NewMethod(func(string) (n Nothing, err error) { return n, errors.New("the disk is full") }),
			"echo":   NewMethod(func(args []byte) ([]byte, error) { return args, nil }),
			"list":   NewMethod(func(n int) ([]string, error) { return slices.Repeat([]string{"x"}, n), nil }),
		},
	}
}

func (p *parent) open(Nothing) (o opening, err error) {
	o.Life = p.lives
	p.lives++
	for unit := range p.done {
		o.Done = append(o.Done, unit)
	}
	for unit := range p.aside {
		o.Done = append(o.Done, unit)
	}
	return o, nil
}

// supervise has the job done by workers.
func (p *parent) supervise() (string, error) {
	p.t.Helper()
	stderr := io.Writer(&p.said)
	if p.stderr != nil {
		stderr = p.stderr
	}
	out, err := Supervise(p.ctx, spawner(nil, stderr), p.job, p.host())
	if strings.Contains(p.said.String(), "DATA RACE") {
		p.t.Error(p.said.String())
	}
	return string(out), err
}

// warnings are how often the log has a text.
func (p *parent) warnings(text string) int { return strings.Count(p.log.String(), text) }

// TestResult: a worker that nothing happens to does each unit once, and its result arrives. The same job done in this
// process has the same result.
func TestResult(t *testing.T) {
	for name, do := range map[string]func(*parent) (string, error){
		"supervised": (*parent).supervise,
		"here": func(p *parent) (string, error) {
			out, err := here(p.ctx, p.job, handlers()[p.job.Kind], p.host())
			return string(out), err
		},
	} {
		p := newScript(t, script{Units: 10, AtMost: 4})
		if out, err := do(p); err != nil || out != "10 in 3 batches" {
			t.Errorf("%s: %q, %v", name, out, err)
		}
		for i := range 10 {
			if n := p.done[fmt.Sprint("unit", i)]; n != 1 {
				t.Errorf("%s: unit %d was done %d times", name, i, n)
			}
		}
		if p.lives != 1 || p.log.Len() > 0 {
			t.Errorf("%s: %d workers: %s", name, p.lives, &p.log)
		}
		p = newParent(t, "ask", nil)
		want := `the disk is full; the parent process has no method "no such method"; ["x" "x"]`
		if out, err := do(p); err != nil || out != want {
			t.Errorf("%s: %q, %v", name, out, err)
		}
		p = newParent(t, "fail", []byte("is not a number"))
		if out, err := do(p); err == nil || err.Error() != "is not a number" || out != "" && name == "supervised" {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

// TestLarge: payload, arguments, replies and result may be larger than a pipe, and calls of many goroutines at once each
// get their own reply.
func TestLarge(t *testing.T) {
	payload := make([]byte, 1<<20)
	for i := range payload {
		payload[i] = byte(i * i >> 7)
	}
	p := newParent(t, "echo", payload)
	p.job.Level = slog.LevelDebug
	told := 0
	p.notify = func(topic string, body []byte) {
		if topic == "echo" && len(body) == 1 {
			told++
		}
	}
	out, err := p.supervise()
	want := slices.Clone(payload)
	slices.Reverse(want)
	if err != nil || out != string(want) {
		t.Fatalf("%d bytes, %v", len(out), err)
	}
	if told != 808 || p.warnings("msg=echo") != 808 {
		t.Errorf("%d notes and %d lines of the log arrived, want 808 of each", told, p.warnings("msg=echo"))
	}
}

// TestDeadlyUnits: units that end the process are put aside with their reason, and only they; the others are done once.
func TestDeadlyUnits(t *testing.T) {
	for _, deadly := range [][]string{{"unit2"}, {"unit1", "unit3"}, {"unit0", "unit7"}, {"unit4", "unit5", "unit6", "unit7"}} {
		s := script{Units: 8, AtMost: 4, Deadly: map[string]int{}}
		for _, u := range deadly {
			s.Deadly[u] = int(syscall.SIGABRT)
		}
		p := newScript(t, s)
		if _, err := p.supervise(); err != nil {
			t.Fatalf("%v: %v", deadly, err)
		}
		// Four units run at once: a death among each four with a deadly one, then each deadly one alone.
		batches := map[bool]bool{}
		for _, u := range deadly {
			batches[u < "unit4"] = true
		}
		if n := p.lives - 1; n != len(batches)+len(deadly) || p.warnings("kills the worker process alone") != len(deadly) {
			t.Errorf("%v: %d deaths: %s", deadly, n, &p.log)
		}
		for i := range 8 {
			u := fmt.Sprint("unit", i)
			why, aside := p.aside[u]
			if bad := slices.Contains(deadly, u); aside != bad || (p.done[u] == 1) == bad {
				t.Errorf("%v: %s was done %d times, put aside: %q", deadly, u, p.done[u], why)
			}
			if aside && !(strings.Contains(why, "GGML_ASSERT(n < 3) failed") && strings.Contains(why, "even in isolation")) {
				t.Errorf("%v: the reason of %s is %q", deadly, u, why)
			}
		}
	}
}

// TestOutOfMemory: a worker that is killed for want of memory is started with half as many units at once, and no unit is
// blamed as long as that helps.
func TestOutOfMemory(t *testing.T) {
	for _, c := range []struct{ from, deaths int }{{3, 1}, {2, 2}} { // 4, 2, 1 at once
		p := newScript(t, script{Units: 8, AtMost: 4, Killed: c.from})
		if _, err := p.supervise(); err != nil || len(p.aside) > 0 || len(p.done) != 8 {
			t.Fatalf("killed from %d: %v, done %v, put aside %v", c.from, err, p.done, p.aside)
		}
		if n := p.warnings("fewer rows at once"); n != c.deaths || p.lives != c.deaths+1 {
			t.Errorf("killed from %d: %d workers: %s", c.from, p.lives, &p.log)
		}
	}
}

// TestKilledAlone: a unit during which the worker is killed while it runs alone is tried once more, and then put aside.
func TestKilledAlone(t *testing.T) {
	p := newScript(t, script{Units: 3, AtMost: 1, Deadly: map[string]int{"unit1": int(syscall.SIGKILL)}})
	if _, err := p.supervise(); err != nil || p.done["unit0"] != 1 || p.done["unit2"] != 1 {
		t.Fatalf("%v, done %v", err, p.done)
	}
	if why := p.aside["unit1"]; len(p.aside) != 1 || !strings.Contains(why, "memory ran out: GGML_ASSERT") {
		t.Errorf("put aside: %v", p.aside)
	}
	// Killed beside others, as far as the parent knows; alone; alone once more.
	if p.lives != 4 || p.warnings("it is tried once more") != 1 {
		t.Errorf("%d workers: %s", p.lives, &p.log)
	}
}

// TestDiesAtOnce: a worker that dies before it does anything is not started for ever.
func TestDiesAtOnce(t *testing.T) {
	for _, kind := range []string{"early", "cut"} {
		p := newParent(t, kind, nil)
		out, err := p.supervise()
		if err == nil || !strings.Contains(err.Error(), "died 2 times before it began a row") || out != "" {
			t.Errorf("%s: %q, %v", kind, out, err)
		}
		if n := p.warnings("it is started again"); n != 1 {
			t.Errorf("%s: %s", kind, &p.log)
		}
	}
}

// TestDiesAfterAUnit: the death of a worker that has finished a unit does not count among those in a row after which no other
// worker is started.
func TestDiesAfterAUnit(t *testing.T) {
	for deaths, want := range map[int]string{idleDeaths - 1: "", idleDeaths: "died 2 times before it began a row"} {
		out, err := newParent(t, "one", []byte{byte(deaths)}).supervise()
		if want == "" && (out != "done" || err != nil) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("then %d die at once: %q, %v", deaths, out, err)
		}
	}
}

// TestNoWorker: a process that does not even take its job is no worker, and one that cannot be started is said so.
func TestNoWorker(t *testing.T) {
	for program, want := range map[string]string{"false": "died 2 times before it began a row: exit status 1", "/no/such/program": "starting a worker process"} {
		p := newParent(t, "units", make([]byte, 1<<20))
		s := Spawner{Command: func() (*exec.Cmd, error) { return exec.Command(program), nil }}
		if _, err := Supervise(p.ctx, s, p.job, p.host()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", program, err)
		}
	}
}

// TestDiesLate: what a worker said last counts, however its process then ends.
func TestDiesLate(t *testing.T) {
	for _, kind := range []string{"late", "closing"} {
		p := newParent(t, kind, nil)
		if out, err := p.supervise(); out != "whole" || err != nil || p.log.Len() > 0 {
			t.Errorf("%s: %q, %v, %s", kind, out, err, &p.log)
		}
	}
}

// TestForgetful: a handler that runs units beside each other which are to run alone is no endless loop.
func TestForgetful(t *testing.T) {
	p := newParent(t, "forgetful", nil)
	if _, err := p.supervise(); err == nil || !strings.Contains(err.Error(), "2 rows under way that were to run alone") {
		t.Errorf("%v", err)
	}
}

// TestCallEnding: a unit is off those under way with the call that ends it, if the call succeeds.
func TestCallEnding(t *testing.T) {
	for method, want := range map[string]string{"append": "[b]", "refuse": "[a b]"} {
		if alone, err := newParent(t, "end", []byte(method)).supervise(); err != nil || alone != want {
			t.Errorf("%s: %s are to run alone, want %s; %v", method, alone, want, err)
		}
	}
}

// TestFailure: an error of the handler keeps its kind and field, even one without a text.
func TestFailure(t *testing.T) {
	for _, text := range []string{"is not a number", ""} {
		_, err := newParent(t, "fail", []byte(text)).supervise()
		var f *Failure
		if !errors.As(err, &f) || *f != (Failure{Kind: "field", Text: text, Field: "top-k", Detail: "in detail"}) {
			t.Errorf("%#v", err)
		}
	}
	_, err := newParent(t, "no such kind", nil).supervise()
	if err == nil || err.Error() != `there is no job of kind "no such kind"` {
		t.Errorf("%v", err)
	}
}

// TestDo: a job arrives, its result comes back, and what a method of the host refuses is returned with its type, though
// the worker has only the text.
func TestDo(t *testing.T) {
	for _, here := range []map[string]Handler{nil, handlers()} {
		p, s := newParent(t, "", nil), spawner(nil, nil)
		s.Here = here
		if r, err := Do[int](p.ctx, s, "echo", 123, p.host()); err != nil || r != 321 {
			t.Errorf("%d, %v", r, err)
		}
		h, full := p.host(), wrongField{"disk", "it is full"}
		h.Methods["refuse"] = NewMethod(func(string) (n Nothing, err error) { return n, full })
		if _, err := Do[string](p.ctx, s, "ask", nil, h); !errors.Is(err, full) {
			t.Errorf("%#v", err)
		}
	}
}

// TestPutAsideFails: a unit that cannot be put aside ends the work with that error.
func TestPutAsideFails(t *testing.T) {
	p := newScript(t, script{Units: 1, AtMost: 1, Deadly: map[string]int{"unit0": int(syscall.SIGABRT)}})
	full, h := errors.New("the disk is full"), p.host()
	h.PutAside = func(string, string) error { return full }
	if _, err := Supervise(p.ctx, spawner(nil, nil), p.job, h); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

// TestLog: lines of a worker's log arrive in the parent's, with level and attributes.
func TestLog(t *testing.T) {
	p := newParent(t, "log", nil)
	if _, err := p.supervise(); err != nil {
		t.Fatal(err)
	}
	want := "level=INFO msg=running model=testbed rows=3\nlevel=WARN msg=full model=testbed kv.cells=7\n"
	if got := p.log.String(); got != want {
		t.Errorf("%s", got)
	}
}

// brokenWriter takes nothing.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestStandardErrorLost: what workers write to their standard error may get lost; they go on.
func TestStandardErrorLost(t *testing.T) {
	p := newParent(t, "loud", nil)
	p.stderr = brokenWriter{}
	if out, err := p.supervise(); out != "done" || err != nil || p.log.Len() > 0 {
		t.Errorf("%q, %v, %s", out, err, &p.log)
	}
}

// TestLeftBehind: a process that a worker leaves behind with its standard error keeps nobody waiting.
func TestLeftBehind(t *testing.T) {
	p := newParent(t, "leave", nil)
	p.notify = func(_ string, body []byte) {
		pid, err := strconv.Atoi(string(body))
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) }) // nobody else does
	}
	if out, err := p.supervise(); out != "done" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
}
