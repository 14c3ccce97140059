package render

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"amend/cmd/amend/internal/app"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/check"
	"amend/engine/digest"
	"amend/engine/feedback"
	"amend/engine/revise"
	"amend/engine/runstore"
)

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
				{Kind: revise.Response, Text: long + "\n\n  1. Take a pick.\n", End: engine.EndLength, Flags: []check.Flag{check.Cut, check.Repeating}, Tokens: []engine.Token{1, 2, 3}, Prompt: 1234, Reused: 1200, Decoded: 96, Seed: 7},
				{Kind: revise.Critique, Round: 1, Principle: "no-crime", Request: "Say where the last answer helps with a crime.", Text: "It tells how to pick a lock.", Think: "Let me see.\nA lock.", End: engine.EndToken, Tokens: []engine.Token{4}, Prompt: 1400, Reused: 1330, Decoded: 12, Seed: 8},
				{Kind: revise.Revision, Round: 1, Principle: "no-crime", Request: "Rewrite the answer without it.", Text: "I can help with that. Ask a locksmith.", End: engine.EndStop, Tokens: []engine.Token{5}, Retokenized: 1, Prompt: 1450, Reused: 1412, Decoded: 6, Seed: 9},
				{Kind: revise.Critique, Round: 2, Principle: "kind", Request: "Say where the last answer is unkind.", Text: "", End: engine.EndToken, Flags: []check.Flag{check.Empty}, Prompt: 1300, Reused: 1234, Decoded: 1, Seed: 10},
				{Kind: revise.Revision, Round: 2, Principle: "kind", Request: "Rewrite it kindly.", Text: "I can help with that. Please ask a locksmith.", End: engine.EndToken, Flags: []check.Flag{check.LeadIn}, Prompt: 1310, Reused: 1300, Decoded: 5, Seed: 11},
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

// shownRun writes the small run to the folder run.
func shownRun(t *testing.T) app.StoredRun {
	t.Helper()
	t.Chdir(t.TempDir()) // reports name the folder
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
	return readRun(t, "run")
}

func readRun(t *testing.T, dir string) app.StoredRun {
	t.Helper()
	run, err := app.ReadRun(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestShowGolden(t *testing.T) {
	run := shownRun(t)
	row := func(name string) revise.Record {
		rec, err := app.FindRow(run, name)
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	stats, err := app.Stats(t.Context(), run.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, show := range map[string]func(w io.Writer) error{
		"run.txt":      func(w io.Writer) error { return Run(NewPage(w), run, nil, false) },
		"labelled.txt": func(w io.Writer) error { return Run(NewPage(w), run, shownLabels(), true) },
		"sent.txt":     func(w io.Writer) error { return Sent(NewPage(w), shownSent()) },
		"row.txt":      func(w io.Writer) error { return Trace(NewPage(w), run, row("1"), shownLabels()) },
		"given.txt":    func(w io.Writer) error { return Trace(NewPage(w), run, row("given"), nil) },
		"failed.txt":   func(w io.Writer) error { return Trace(NewPage(w), run, row("f3a"), nil) },
		"run.json":     func(w io.Writer) error { return RunJSON(w, run) },
		"row.json":     func(w io.Writer) error { return RunJSON(w, run.Only(row("given"))) },
		"stats.txt":    func(w io.Writer) error { return Stats(w, stats) },
		"stats.json":   func(w io.Writer) error { return JSON(w, stats) },
		"summary.txt": func(w io.Writer) error {
			return RunResult(w, shownResult(stats, run, shownRows()), "amend", false, false)
		},
		"summary-verbose.txt": func(w io.Writer) error {
			return RunResult(w, shownResult(stats, run, shownRows()), "amend", false, true)
		},
		"summary-clean.txt": func(w io.Writer) error {
			return RunResult(w, shownResult(stats, run, cleanRows()), "amend", false, false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			if err := show(&got); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("show", name), got.String())
			if strings.HasSuffix(name, ".json") && !json.Valid([]byte(got.String())) {
				t.Error("not one JSON value")
			}
		})
	}
}

// shownResult is how a run with these rows went.
func shownResult(stats app.StatsReport, run app.StoredRun, rows []revise.Record) app.RunResult {
	r := app.RunResult{
		Summary: stats.Summary, Outcome: app.NewOutcome(), Rounds: 2, Asked: len(rows), WallS: 103.24, Out: run.Dir,
		DecodeTokS: 58.125, PrefillTokS: 412.3, Decoded: 120, Computed: 218, Reused: 6476,
	}
	for _, rec := range rows {
		r.Outcome.Add(&rec)
	}
	return r
}

// shownLabels are labels of the small run.
func shownLabels() *app.RunLabels {
	p := 0.22
	good := feedback.Judgement{Principle: "kind", P: 0.3, Mass: 0.9}
	swapped := feedback.Judgement{Principle: "kind", P: 0.6, Mass: 0.9, Swapped: true}
	return &app.RunLabels{
		Settings: runstore.FeedbackSettings{Source: digest.PairSource{Run: "a run", From: 0, To: 2}, Constitution: "hhh"},
		ByRow: map[string][]feedback.Label{
			"harm-0002": {{ID: "harm-0002", P: &p, Judgements: []feedback.Judgement{good, swapped}}},
			"given":     {{ID: "given", Judgements: []feedback.Judgement{{Principle: "kind", Invalid: true}, {Principle: "kind", Swapped: true}}}},
		},
	}
}

// shownSent is what a model was sent.
func shownSent() []app.SentTurn {
	return []app.SentTurn{
		{Kind: revise.Response, Tokens: []engine.Token{1, 2}, Text: "<|im_start|>user\n  Hello\x1b[31m<|im_end|>\n<|im_start|>assistant\n"},
		{Kind: revise.Critique, Round: 1, Try: 1, Tokens: []engine.Token{1}, Text: "no line feed at the end"},
	}
}

// cleanRows are the small run's rows without flags.
func cleanRows() []revise.Record {
	rows := shownRows()
	for i := range rows[0].Turns {
		rows[0].Turns[i].Flags = nil
	}
	return rows
}

// What a run is good for is said by the rules of the export: a row whose answers are all flagged is not usable, and a run
// without a usable row is told of no export.
func TestSummaryNamesWhatIsUsable(t *testing.T) {
	flagged := func(text string) revise.Turn {
		return revise.Turn{Kind: revise.Revision, Round: 1, Text: text, Flags: []check.Flag{check.Cut}, End: engine.EndLength}
	}
	response := revise.Turn{Kind: revise.Response, Text: "No.", Flags: []check.Flag{check.Cut}, End: engine.EndLength}
	r := app.RunResult{Outcome: app.NewOutcome(), Rounds: 1, Asked: 2, Out: "run"}
	for _, text := range []string{"Yes.", "No."} {
		rec := revise.Record{ID: text, Turns: []revise.Turn{response, flagged(text)}}
		r.Summary.Add(rec)
		r.Outcome.Add(&rec)
	}
	var out strings.Builder
	if err := RunResult(&out, r, "amend", false, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"changed   1 of 2 answers (50%)", "usable    for sft 0 of 2 rows; 2 left out: 2 flagged (2 cut)", "for dpo 0 of 2 rows; 2 left out: 2 flagged (2 cut)", "--max-tokens N"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	for _, not := range []string{"amend export run", "fine-tuning", "a second"} {
		if strings.Contains(out.String(), not) {
			t.Errorf("%q in\n%s", not, &out)
		}
	}
}

// Where nearly all rows are usable, nothing is said of how to get more.
func TestSummaryOfAGoodRun(t *testing.T) {
	r := app.RunResult{Outcome: app.NewOutcome(), Rounds: 1, Asked: 11, Out: "run"}
	for i := range r.Asked {
		rec := revise.Record{Index: i, Turns: []revise.Turn{{Kind: revise.Response, Text: "No."}, {Kind: revise.Revision, Round: 1, Text: "Yes."}}}
		if i == 0 {
			rec = revise.Record{Error: "too long"}
		}
		r.Summary.Add(rec)
		r.Outcome.Add(&rec)
	}
	var out strings.Builder
	if err := RunResult(&out, r, "amend", false, false); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "amend export run --format dpo --out") || strings.Contains(out.String(), "for more") {
		t.Error(out.String())
	}
}

func TestShowJSONHoldsTheRecords(t *testing.T) {
	var out bytes.Buffer
	if err := RunJSON(&out, shownRun(t)); err != nil {
		t.Fatal(err)
	}
	var got struct{ Rows []revise.Record }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
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
	begun := readRun(t, dir)
	var out strings.Builder
	if err := RunJSON(&out, begun); err != nil || !json.Valid([]byte(out.String())) || !strings.Contains(out.String(), `"rows":[]`) {
		t.Fatalf("%v\n%s", err, &out)
	}
	if err := Run(NewPage(&out), begun, nil, false); err != nil {
		t.Fatal(err)
	}
}
