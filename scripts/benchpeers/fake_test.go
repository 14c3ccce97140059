package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestMain lets this binary stand in for the programs that are run.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "as-server":
			fakeServer(os.Args[2], os.Args[3:])
		case "as-amend":
			fakeAmend(os.Args[2], os.Args[3:])
		}
	}
	os.Exit(m.Run())
}

// standIn writes a program that runs this binary as kind, in a mode.
func standIn(t *testing.T, kind, mode string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), kind)
	script := fmt.Sprintf("#!/bin/sh\nexec '%s' %s %s \"$@\"\n", self, kind, mode)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// value is what follows a flag where it stands last, or fallback.
func value(args []string, flag, fallback string) string {
	for i, a := range args {
		if a == flag {
			fallback = args[i+1]
		}
	}
	return fallback
}

// fakeServer starts as llama-server does. It says that it loads at first, and
// in mode "dies" ends with a message instead of getting ready; in mode "picky"
// only with quantized keys.
func fakeServer(mode string, args []string) {
	if mode == "dies" || mode == "picky" && value(args, "--cache-type-k", "") == "q8_0" {
		fmt.Fprintln(os.Stderr, "error: no such model")
		os.Exit(3)
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+value(args, "--port", ""))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	asked := 0
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 2 {
			http.Error(w, "loading", http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/props", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"total_slots":%s}`, value(args, "--parallel", "4"))
	})
	http.HandleFunc("/die", func(http.ResponseWriter, *http.Request) {
		fmt.Fprintln(os.Stderr, "GGML_ASSERT failed")
		os.Exit(6)
	})
	warmed := false
	http.HandleFunc("/cost", func(w http.ResponseWriter, r *http.Request) {
		c := configOf(args)
		slot, row := cost(c)
		rows, err := strconv.Atoi(r.FormValue("rows"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		wall := 0.0
		if !warmed {
			wall += slot * float64(c.slots)
		}
		if r.FormValue("workload") == "feedback" {
			warmed = true
		} else {
			wall += row * float64(rows)
		}
		fmt.Fprint(w, wall)
	})
	fmt.Fprintln(os.Stderr, http.Serve(l, nil))
	os.Exit(1)
}

// configOf finds the configuration that the arguments are of; without any it is
// what the server starts with by default.
func configOf(args []string) config {
	for _, c := range slices.Backward(all(true)) { // those that guess have arguments more
		if strings.Contains(strings.Join(args, " "), strings.Join(c.args(slotContext(1632)), " ")) {
			return c
		}
	}
	return config{slots: 4, unified: true, flash: true, kv: kvType{"f16", "f16"}}
}

// cost is the seconds that a server takes: for the preamble of each slot, and
// for a row.
func cost(c config) (slot, row float64) {
	slot, row = 0.5, 10
	row -= map[int]float64{1: 0, 4: 3, 8: 4, 16: 3.5}[c.slots]
	if c.unified {
		row += 0.7
	}
	if c.flash {
		slot, row = 0.75, row+0.25
	}
	if c.kv.k == "q8_0" {
		row -= 1
	}
	if c.kv.v == "q8_0" {
		slot, row = 1.5, row-0.2
	}
	if c.guess {
		row -= 0.5
	}
	return slot, row
}

// total is what all rows of a workload take on a server just started.
func total(c config, rows int) float64 {
	slot, row := cost(c)
	return slot*float64(c.slots) + row*float64(rows)
}

// fakeAmend prints the report of a run. The time of a run on a server is what
// that says.
func fakeAmend(mode string, args []string) {
	peer, rows, wall := value(args, "--peer-url", ""), value(args, "--rows", "16"), 60.0
	work := args[1]
	if work == textWorkload {
		if rows = value(args, "--limit", ""); value(args, "--max-tokens", "") == "1" {
			work = "feedback" // the preamble alone, near enough
		}
	}
	switch {
	case mode == "fails":
		fmt.Fprintln(os.Stderr, "amend: no such thing")
		os.Exit(42)
	case mode == "hangs":
		select {}
	case mode == "kills" && peer != "":
		if _, err := http.Get(peer + "/die"); err == nil {
			os.Exit(1)
		}
		select {}
	case peer != "":
		answer, err := http.Get(peer + "/cost?workload=" + work + "&rows=" + rows)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if _, err := fmt.Fscan(answer.Body, &wall); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	n, err := strconv.Atoi(rows)
	if err != nil {
		os.Exit(2)
	}
	report := amendReport{
		Workload: args[1], Order: "append", Lengths: json.RawMessage(`{"rows":16,"preamble":1024}`), Expected: json.RawMessage(`{}`),
		Setup:    json.RawMessage(`{"model":"m","quantization":"Q4_0","cpu":"a cpu","threads":2,"llama_cpp":"1"}`),
		Setting:  "streams fa=off kv=f16",
		Variants: []variant{{Name: value(args, "--peer-name", ours), Rows: n, WallS: wall, WallSPerRow: wall / float64(n), Decoded: 416 * n, Computed: 100, Reused: 200}},
	}
	if args[1] == textWorkload {
		report.Need = 1632
		report.Variants[0].TextCounts = &TextCounts{Turns: 5 * n, Critiques: 2 * n, Revisions: 2 * n, CritiquesPer1k: 3.5, Guesses: 70, Guessed: 30}
	}
	json.NewEncoder(os.Stdout).Encode(report)
	os.Exit(0)
}
