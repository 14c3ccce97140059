package runstore

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"amend/engine"
	"amend/engine/chat"
	"amend/engine/check"
	"amend/engine/prompts"
	"amend/engine/revise"
)

// record makes a row with a response and one revision, as the loop would.
func record(index int) revise.Record {
	return revise.Record{
		ID: fmt.Sprintf("row-%d", index), Index: index, Seed: uint64(index) << 60,
		Messages: []chat.Message{{Role: "user", Text: fmt.Sprintf("Question %d?\n<b> \u2028 é 日本", index)}},
		Turns: []revise.Turn{
			{Kind: revise.Response, Text: "a draft", End: engine.EndToken, Tokens: []engine.Token{1, 2}, Prompt: 100, Reused: 90, Decoded: 3},
			{Kind: revise.Critique, Round: 1, Principle: "kind", Request: "Say what is wrong.", Text: "too\nshort", End: engine.EndLength, Flags: []check.Flag{check.Cut}, Tokens: []engine.Token{3}, Prompt: 120, Reused: 100, Decoded: 5},
			{Kind: revise.Revision, Round: 1, Principle: "kind", Request: "Make it better.", Text: fmt.Sprintf("better %d", index), End: engine.EndStop, Tokens: []engine.Token{4}, Prompt: 140, Reused: 120, Decoded: 7},
		},
	}
}

func failedRecord(index int) revise.Record {
	rec := record(index)
	rec.Turns = rec.Turns[:1]
	rec.Error = "the turn needs 9 tokens"
	return rec
}

func manifest() Manifest {
	return Manifest{
		Created: "2026-03-01",
		Results: Results{ModelSHA256: "aa", ModelSize: 7, Chat: "template", ConstitutionSHA256: "bb", PromptsSHA256: "cc", Mode: "faithful", Revisions: 1, Seed: 1 << 63, MaxTokens: 64, Temperature: 1, KVType: "f16"},
		Setup:   Setup{Model: "m.gguf", Constitution: "hhh", Prompts: prompts.Paths{"p.jsonl"}, Rows: 3, Threads: 2},
	}
}

// open is Open of a run that must work, closed when the test ends.
func open(t testing.TB, dir string, m Manifest) (*Run, []string) {
	t.Helper()
	r, warnings, err := Open(dir, m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, warnings
}

func add(t testing.TB, r *Run, recs ...revise.Record) {
	t.Helper()
	for _, rec := range recs {
		if err := r.Append(rec); err != nil {
			t.Fatal(err)
		}
	}
}

func closeRun(t testing.TB, r *Run) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// read gives the rows that Read finds.
func read(t testing.TB, dir string) []revise.Record {
	t.Helper()
	_, rows, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []revise.Record
	for rec, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, rec)
	}
	return out
}

func contents(t testing.TB, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
