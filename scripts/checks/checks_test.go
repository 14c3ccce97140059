package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"amend/engine/check"
	"amend/engine/enginetest/need"
)

// TestAlarms: of answers in published sets few have a flag. docs/checks.md has the counts.
func TestAlarms(t *testing.T) {
	var out strings.Builder
	err := printAlarms(&out, "../../../shared/data", "")
	if errors.Is(err, fs.ErrNotExist) {
		need.Unmet(t, need.Data, "no real data here")
	}
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/checks.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), out.String()) {
		t.Errorf("docs/checks.md does not have these counts:\n%s", out.String())
	}
}

// someTurns has n turns of each kind without a flag, and some with one or two.
func someTurns(n int) []turn {
	var all []turn
	add := func(kind check.Kind, flags ...check.Flag) {
		all = append(all, turn{Row: fmt.Sprint(len(all)), Input: check.Input{Kind: kind, Text: fmt.Sprint("text ", len(all))}, Flags: flags})
	}
	for range n {
		add(check.Response, check.Cut) // which readers are not asked about
		add(check.Critique)
		add(check.Revision)
	}
	for range 30 {
		add(check.Revision, check.LeadIn)
	}
	for range 3 {
		add(check.Revision, check.LeadIn, check.Repeating)
	}
	return all
}

// TestDraw: the draw is as large as asked for, holds each flag, has its weights, and depends on the seed alone.
func TestDraw(t *testing.T) {
	all := someTurns(100)
	draw := func(seed uint64) []entry {
		entries, _ := drawTurns(append([]turn(nil), all...), rand.New(rand.NewPCG(seed, 0)), 60)
		return entries
	}
	entries := draw(1)
	counts, weights, seen := map[string]int{}, 0.0, map[string]bool{}
	for _, e := range entries {
		counts[e.Stratum]++
		weights += e.Weight
		if seen[e.Row] {
			t.Errorf("%s is drawn twice", e.Row)
		}
		seen[e.Row] = true
	}
	want := map[string]int{"repeating": 3, "lead-in": quota, "unflagged critique": 15, "unflagged response": 15, "unflagged revision": 15}
	if !reflect.DeepEqual(counts, want) || int(weights+0.5) != len(all) {
		t.Errorf("%v, weights of %g, want %v of %d turns", counts, weights, want, len(all))
	}
	if !reflect.DeepEqual(entries, draw(1)) || reflect.DeepEqual(entries, draw(2)) {
		t.Error("the seed does not decide the draw")
	}
}

// TestScore: four turns by hand.
func TestScore(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := write("key.jsonl", `{"id":"t1","kind":"revision","flags":["repeating"],"weight":1}
{"id":"t2","kind":"revision","flags":["cut"],"weight":9}
{"id":"t3","kind":"critique","flags":["refusal"],"weight":2}
{"id":"t4","kind":"response","flags":[],"weight":4}
`)
	a, b := write("a", "t1 R\nt2 RC\nt3 D\nt4 D\n"), write("b", "t1 -\nt2 R\nt3 D\nt4 -\n")
	var out strings.Builder
	if err := printScore(&out, key, []string{a, b}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| repeating | 1 | 1 | 100 % (21–100) | 2 | 1 | 50 % (9–91) | 10 % |", // of the first reader
		"| repeating | 1 | 0 | 0 % (0–79) | 1 | 0 | 0 % (0–79) | 0 % |",
		"| refusal | 1 | 1 | 100 % (21–100) | 1 | 1 | 100 % (21–100) | 100 % |", // t4 is not known to be safe
		"| repeating | 1 | 1 | 0 | 2 | 0.50 |",
		"| refusal | 1 | 0 | 0 | 3 | 1.00 |",
		"| lead-in | 0 | 0 | 0 | 4 | – |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if err := printScore(&out, key, []string{write("c", "t1 R\n")}); err == nil || !strings.Contains(err.Error(), "t2") {
		t.Errorf("labels that lack a turn: %v", err)
	}
}

// TestKeptLabels: docs/checks.md has what the labels that are kept here say.
func TestKeptLabels(t *testing.T) {
	var out strings.Builder
	if err := printScore(&out, "labels/turns.jsonl", []string{"labels/a.txt", "labels/b.txt"}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/checks.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), out.String()) {
		t.Errorf("docs/checks.md does not have these figures:\n%s", out.String())
	}
}
