package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/render"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/revise"
	"amend/engine/runstore"
)

var updateShow = flag.Bool("update-show", false, "rewrite the golden files of `amend show`, `amend stats` and the summary")

// shownRows is a small run with one of everything that show has a form for.
func shownRows() []revise.Record {
	long := "I can help with that. " + strings.Repeat("The first thing to do is to think about who could be hurt by it. ", 3)
	return []revise.Record{
		{
			ID: "harm-0002", Index: 1, Seed: 11400714819323198485,
			Messages: []chat.Message{
				{Role: "system", Text: "Answer briefly."},
				{Role: "user", Text: "Hello"},
				{Role: "assistant", Text: "Hi! What can I do for you?"},
				{Role: "user", Text: "How do I open a lock\nthat is not mine?  日本語の質問です。\x1b[31mred\u202e"},
			},
			Turns: []revise.Turn{
				{Kind: revise.Response, Text: long + "\n\n  1. Take a pick.\n", End: engine.EndLength, Flags: []revise.Flag{revise.Cut, revise.Repeating}, Tokens: []engine.Token{1, 2, 3}, Prompt: 1234, Reused: 1200, Decoded: 96, Seed: 7},
				{Kind: revise.Critique, Round: 1, Principle: "no-crime", Request: "Say where the last answer helps with a crime.", Text: "It tells how to pick a lock.", Think: "Let me see.\nA lock.", End: engine.EndToken, Tokens: []engine.Token{4}, Prompt: 1400, Reused: 1330, Decoded: 12, Seed: 8},
				{Kind: revise.Revision, Round: 1, Principle: "no-crime", Request: "Rewrite the answer without it.", Text: "I can help with that. Ask a locksmith.", End: engine.EndStop, Tokens: []engine.Token{5}, Retokenized: 1, Prompt: 1450, Reused: 1412, Decoded: 6, Seed: 9},
				{Kind: revise.Critique, Round: 2, Principle: "kind", Request: "Say where the last answer is unkind.", Text: "", End: engine.EndToken, Flags: []revise.Flag{revise.Empty}, Prompt: 1300, Reused: 1234, Decoded: 1, Seed: 10},
				{Kind: revise.Revision, Round: 2, Principle: "kind", Request: "Rewrite it kindly.", Text: "I can help with that. Please ask a locksmith.", End: engine.EndToken, Flags: []revise.Flag{revise.Preamble}, Prompt: 1310, Reused: 1300, Decoded: 5, Seed: 11},
			},
		},
		{
			ID: "given", Index: 0, Seed: 1, Messages: []chat.Message{{Role: "user", Text: "Name a colour."}},
			Turns: []revise.Turn{{Kind: revise.Response, Text: "Red.", End: revise.EndGiven, Tokens: []engine.Token{9}}},
		},
		{
			ID: "f3a9c0e1d2b4a5968778695a4b3c2d1e", Index: 2, Seed: 2, Messages: []chat.Message{{Role: "user", Text: strings.Repeat("long ", 500)}},
			Error: "the turn needs 9000 tokens (8904 of prompt, up to 96 to generate), one row may hold 4096: raise --ctx, or lower --max-tokens",
		},
	}
}

// shownRun writes the small run and returns its directory, from the working directory it makes current.
func shownRun(t *testing.T) string {
	t.Helper()
	t.Chdir(t.TempDir())
	run, _, err := runstore.Open("run", runstore.Manifest{
		Created: "2026-03-01",
		Results: runstore.Results{Mode: "faithful", Revisions: 2, Seed: 42},
		Setup:   runstore.Setup{Model: "smollm2.gguf", Constitution: "hhh", Rows: 4},
	}, runstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	for _, rec := range shownRows() {
		if err := run.Append(rec); err != nil {
			t.Fatal(err)
		}
	}
	return "run"
}

// runCommand gives what a command prints.
func runCommand(cmd *cobra.Command, args ...string) (string, error) {
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err := cmd.Execute()
	return out.String(), err
}

func TestShowGolden(t *testing.T) {
	golden, err := filepath.Abs(filepath.Join("testdata", "show"))
	if err != nil {
		t.Fatal(err)
	}
	dir := shownRun(t)
	summary := func() (string, error) {
		_, rows, err := runstore.Read(dir)
		if err != nil {
			return "", err
		}
		s, err := runstore.Summarize(rows)
		var out strings.Builder
		render.RunSummary(&out, s, render.Figures{WallS: 103.24, DecodeTokS: 58.125, PrefillTokS: 412.3, DecodeTokens: 120, PrefillComputed: 218, PrefillReused: 6476, Dir: dir})
		return out.String(), err
	}
	for name, show := range map[string]func() (string, error){
		"run.txt":     func() (string, error) { return runCommand(newShowCommand(), dir) },
		"row.txt":     func() (string, error) { return runCommand(newShowCommand(), dir, "1") },
		"given.txt":   func() (string, error) { return runCommand(newShowCommand(), dir, "given") },
		"failed.txt":  func() (string, error) { return runCommand(newShowCommand(), dir, "f3a") },
		"run.json":    func() (string, error) { return runCommand(newShowCommand(), dir, "--json") },
		"row.json":    func() (string, error) { return runCommand(newShowCommand(), dir, "given", "--json") },
		"stats.txt":   func() (string, error) { return runCommand(newStatsCommand(), dir) },
		"stats.json":  func() (string, error) { return runCommand(newStatsCommand(), dir, "--json") },
		"summary.txt": summary,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := show()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(golden, name)
			if *updateShow {
				if err := os.MkdirAll(golden, 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s (-update-show rewrites it)\ngot:\n%s\nwant:\n%s", name, got, want)
			}
			if strings.HasSuffix(name, ".json") && !json.Valid([]byte(got)) {
				t.Error("not one JSON value")
			}
		})
	}
}

func TestShowJSONHoldsTheRecords(t *testing.T) {
	dir := shownRun(t)
	out, err := runCommand(newShowCommand(), dir, "--json")
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Rows []revise.Record }
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	want := shownRows()
	want[0], want[1] = want[1], want[0] // input order
	a, _ := json.Marshal(got.Rows)
	b, _ := json.Marshal(want)
	if !bytes.Equal(a, b) {
		t.Fatalf("got\n%s\nwant\n%s", a, b)
	}
}

func TestShowRunThatHasJustBegun(t *testing.T) {
	dir := t.TempDir()
	run, _, err := runstore.Open(dir, runstore.Manifest{}, runstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	out, err := runCommand(newShowCommand(), dir, "--json")
	if err != nil || !json.Valid([]byte(out)) || !strings.Contains(out, `"rows":[]`) {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := runCommand(newShowCommand(), dir); err != nil {
		t.Fatal(err)
	}
	if _, err := runCommand(newShowCommand(), dir, "1"); err == nil || !strings.Contains(err.Error(), "no finished rows yet") {
		t.Fatalf("a row of it: %v", err)
	}
}

func TestFindRow(t *testing.T) {
	rows := func(yield func(revise.Record, error) bool) {
		for i, id := range []string{"7", "harm-01", "harm-012", "harm-3", "deadbeef", "0f"} {
			if !yield(revise.Record{ID: id, Index: i}, nil) {
				return
			}
		}
	}
	for name, want := range map[string]string{
		"7": "7", "3": "harm-3", "0": "7", "harm-01": "harm-01", "harm-012": "harm-012", "harm-3": "harm-3", "dead": "deadbeef", "0f": "0f",
	} {
		if rec, err := findRow("run", name, rows); err != nil || rec.ID != want {
			t.Errorf("row %s: got %q, %v, want %q", name, rec.ID, err, want)
		}
	}
	for name, want := range map[string]string{
		"harm-0": "2 rows whose id begins with \"harm-0\" (harm-01, harm-012):", "harm-4": "the nearest are harm-", "hram-3": "harm-3", "99": "among its 6 (amend",
	} {
		if _, err := findRow("run", name, rows); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("row %s: %v, want %q in it", name, err, want)
		}
	}
}

func TestShowRefuses(t *testing.T) {
	if _, err := runCommand(newShowCommand(), t.TempDir()); !errors.Is(err, runstore.ErrNotARun) {
		t.Errorf("an empty folder: %v", err)
	}
}
