package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

// textArguments are a command line of the text workload over the stand-ins.
func textArguments(t *testing.T, more ...string) []string {
	all := arguments(t, standIn(t, "as-amend", "-"), standIn(t, "as-server", "-"), more...)
	all[0] = textWorkload
	return all
}

// arguments are a command line over the stand-ins.
func arguments(t *testing.T, amend, server string, more ...string) []string {
	t.Helper()
	model := filepath.Join(t.TempDir(), "m.gguf")
	if err := os.WriteFile(model, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return append([]string{
		"loop", "--model", model, "--amend", amend, "--server", server, "--threads", "2",
		"--workloads", "../../cmd/amend/internal/workload/workloads.json",
	}, more...)
}

// TestReport runs everything on stand-ins and compares the table.
func TestReport(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), arguments(t, standIn(t, "as-amend", "-"), standIn(t, "as-server", "-")), &out, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/table.txt"
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}

// TestSweepFindsTheBest: what the sweep estimates from few rows is what the
// whole workload takes, and the best two of all configurations are those that
// run at full size; so they are in stages, where the settings act each by
// itself.
func TestSweepFindsTheBest(t *testing.T) {
	want := usable(all(false), 16)
	slices.SortStableFunc(want, func(a, b config) int { return cmp.Compare(total(a, 16), total(b, 16)) })
	for sweep, runs := range map[string]int{"all": 40, "staged": 16} {
		var out bytes.Buffer
		err := run(t.Context(), arguments(t, standIn(t, "as-amend", "-"), standIn(t, "as-server", "-"), "--json", "--turns", "1", "--sweep", sweep), &out, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		var r report
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Sweep) != runs {
			t.Errorf("%s: %d configurations, not %d", sweep, len(r.Sweep), runs)
		}
		checkEstimates(t, r.Sweep)
		var names []string
		for _, v := range r.Variants {
			names = append(names, v.Name)
		}
		if w := []string{ours, want[0].name(), want[1].name(), defaultName}; !slices.Equal(names, w) {
			t.Errorf("%s: variants %q, not %q", sweep, names, w)
		}
		if got, w := r.Ratios[want[0].name()], total(want[0], 16)/60; math.Abs(got-w) > 1e-9 {
			t.Errorf("%s: ratio %v, not %v", sweep, got, w)
		}
	}
}

// checkEstimates compares what the sweep adds up with what the stand-in takes.
func checkEstimates(t *testing.T, sweep []sweepEntry) {
	t.Helper()
	for _, s := range sweep {
		c, err := parseConfig(s.Name)
		if err != nil {
			t.Fatal(err)
		}
		if truth := total(c, 16); math.Abs(s.EstimateS-truth) > 1e-6 {
			t.Errorf("%s: estimated %v s, takes %v", s.Name, s.EstimateS, truth)
		}
	}
}

// TestText: rows and slots are as large as amend says, the sweep goes over
// guesses too, and what text has besides is in report and table.
func TestText(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), textArguments(t, "--json", "--turns", "1"), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	best := config{slots: 8, kv: kvType{"q8_0", "f16"}, guess: true}
	if got := r.Variants[1]; got.Name != best.name() || got.TextCounts == nil || got.RevisionsPerS != 32/total(best, 16) {
		t.Errorf("%+v is not what is best, %s", got, best.name())
	}
	checkEstimates(t, r.Sweep)
	if want := 8 + 2*9; len(r.Sweep) != want {
		t.Errorf("%d configurations, not %d", len(r.Sweep), want)
	}
	out.Reset()
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"revisions/s", "3.50", "30 of 70"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is not in the table:\n%s", part, &out)
		}
	}
}

// TestPickyServer: configurations that do not run are reported and passed over.
func TestPickyServer(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), arguments(t, standIn(t, "as-amend", "-"), standIn(t, "as-server", "picky"), "--json", "--turns", "1"), &out, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Sweep {
		if s.Failed != strings.Contains(s.Name, "q8_0") {
			t.Errorf("%+v", s)
		}
	}
	if got, want := r.Variants[1].Name, "llama-server np=8 streams fa=off kv=f16"; got != want {
		t.Errorf("the best is %q, not %q", got, want)
	}
}

// TestFailures: what a program said when it failed is in the error.
func TestFailures(t *testing.T) {
	good := func(kind string) string { return standIn(t, kind, "-") }
	for name, c := range map[string]struct {
		amend, server string
		want          []string
	}{
		"the server does not start": {good("as-amend"), standIn(t, "as-server", "dies"), []string{"no such model", "exit status 3", "np=1"}},
		"the server dies":           {standIn(t, "as-amend", "kills"), good("as-server"), []string{"GGML_ASSERT failed", "exit status 6"}},
		"amend fails":               {standIn(t, "as-amend", "fails"), good("as-server"), []string{"no such thing", "exit status 42"}},
		"there is no server":        {good("as-amend"), "/nonexistent/llama-server", []string{"/nonexistent/llama-server"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), arguments(t, c.amend, c.server), io.Discard, io.Discard)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in the error: %v", part, err)
				}
			}
		})
	}
}

// TestNothingIsLeft: when the benchmark is cancelled its server is gone when it
// returns.
func TestNothingIsLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := startServer(ctx, standIn(t, "as-server", "-"), "--parallel", "3")
	if err != nil {
		t.Fatal(err)
	}
	if s.slots != 3 {
		t.Errorf("%d slots, not 3", s.slots)
	}
	cancel()
	s.stop()
	if err := syscall.Kill(s.pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d of the server is still there: %v", s.pid, err)
	}
}

func TestLimit(t *testing.T) {
	b := &bencher{options: &options{workload: "loop", amend: standIn(t, "as-amend", "hangs")}}
	if _, err := b.bench(t.Context(), time.Millisecond); !errors.Is(err, errLimit) {
		t.Errorf("error %v", err)
	}
	done := []swept{{estimate: 100}, {estimate: 50, stopped: true}, {estimate: 400}}
	limit, most := sweepLimit(done, 20, 0.5)
	if limit != 90*time.Second || most != 200 {
		t.Errorf("limit %v, for %v s in all; the best took 100 s, half of it is run, 20 s are past", limit, most)
	}
	if limit, _ := sweepLimit(done, 500, 0.5); limit != leastLimit {
		t.Errorf("limit %v", limit)
	}
	if limit, _ := sweepLimit(nil, 0, 1); limit != runLimit {
		t.Errorf("limit %v without anything done", limit)
	}
}

func TestCommandLine(t *testing.T) {
	for _, args := range [][]string{
		{}, {"loop", "fanout"}, {"loop", "--sweep", "some"}, {"loop", "--turns", "0"}, {"nothing"}, {"loop", "--rows", "x"},
		{"loop", "--peer", "np=3 streams"}, {"loop", "--limit", "3"}, {"text", "--rows", "3"}, {"text", "--order", "append"},
	} {
		full := append(arguments(t, "/nonexistent", "/nonexistent")[1:], args...)
		if err := run(t.Context(), full, io.Discard, io.Discard); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
