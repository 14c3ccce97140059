package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"amend/cmd/amend/internal/failure"
	"amend/engine/export"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// TestMain makes the test binary also be the processes that amend starts itself.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == WorkerCommand && os.Args[2] == TemplateWorker:
		if err := RenderTemplates(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
	case len(os.Args) == 2 && os.Args[1] == WorkerCommand:
		if err := testEnv(io.Discard).Worker(context.Background()); err != nil {
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

func testEnv(log io.Writer) Env {
	return Env{
		Log: slog.New(slog.NewTextHandler(log, nil)), Now: time.Now, Stdin: strings.NewReader(""), Stderr: io.Discard,
		Version: "test", Self: []string{os.Args[0]},
	}
}

// testbedRun are the settings of a short run of the embedded model.
func testbedRun(t *testing.T, file, out string) RunConfig {
	t.Helper()
	c := DefaultRunConfig()
	c.Model, c.Prompts, c.Out, c.Revisions, c.Seed, c.Compute.Deterministic = "testbed", []string{file}, out, 1, 1, true
	c.Tries = 0 // every row has as many turns
	return c
}

// somePrompts are a few prompts of the testbed's world.
func somePrompts(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "models", "testbed", "testdata", "heldout.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "prompts.jsonl")
	if err := os.WriteFile(path, bytes.Join(bytes.SplitN(text, []byte("\n"), 7)[:6], []byte("\n")), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLibrary is what a program does with this package: a run, its labels and its training sets, computed in this process
// and in workers, with the same bytes.
func TestLibrary(t *testing.T) {
	prompts, dir := somePrompts(t), t.TempDir()
	files := map[bool][]byte{}
	for _, here := range []bool{true, false} {
		t.Setenv("XDG_CACHE_HOME", t.TempDir()) // what one measures the other is not to find
		var log bytes.Buffer
		env := testEnv(&log)
		env.InProcess = here
		var told []Progress
		env.Progress = func(p Progress) { told = append(told, p) }
		name := filepath.Join(dir, map[bool]string{true: "here", false: "worker"}[here])
		c := testbedRun(t, prompts, name)
		r, err := Run(t.Context(), env, c)
		if err != nil || r.Summary.Completed != 6 || r.Summary.Revisions != 6 || r.Decoded == 0 || r.Before != 0 {
			t.Fatalf("run in process %v: %+v, %v\n%s", here, r, err, log.String())
		}
		if last := told[len(told)-1]; last.Done != 6 || last.Of != 6 || last.Turns != 18 || last.TurnsOf != 18 || last.TurnsBefore != 0 {
			t.Errorf("progress of the run: %+v", told)
		}
		if phases, want := phasesOf(told), []Phase{Loading, Testing, Measuring, Preamble, Measuring, Working}; !slices.Equal(phases, want) {
			t.Errorf("the run was at %q, want %q", phases, want)
		}
		f := DefaultFeedbackConfig()
		f.Run, f.Compute.Deterministic, f.Report = name, true, true
		labels, err := Feedback(t.Context(), env, f)
		if err != nil || labels.Labelled != labels.Pairs || labels.Pairs == 0 || labels.Asked == 0 || labels.Report == nil {
			t.Fatalf("labels in process %v: %+v, %v\n%s", here, labels, err, log.String())
		}
		e := DefaultExportConfig()
		e.Run, e.Out, e.Format, e.Labels = name, name+"-dpo", export.DPO, true
		if _, err := Export(t.Context(), env, e); err != nil {
			t.Fatal(err)
		}
		set, err := os.ReadFile(filepath.Join(e.Out, "data", "train-00000-of-00001.jsonl"))
		if err != nil || len(set) == 0 {
			t.Fatalf("the set of %s: %d bytes, %v", name, len(set), err)
		}
		files[here] = set
		again, err := Run(t.Context(), env, c)
		if err != nil || again.Before != 6 || again.Decoded != 0 {
			t.Errorf("the run continued: %+v, %v", again, err)
		}
	}
	if !bytes.Equal(files[true], files[false]) {
		t.Errorf("computed here\n%s\nand by workers\n%s", files[true], files[false])
	}
}

// TestCostsAreKept: the costs of steps that a quiet machine gave one run are those of the next, which measures nothing.
func TestCostsAreKept(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	prompts, dir := somePrompts(t), t.TempDir()
	for _, name := range []string{"first", "second"} {
		before, err := filepath.Glob(filepath.Join(cache, "amend", keptCosts, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		var told []Progress
		env := testEnv(&log)
		env.InProcess = true
		env.Progress = func(p Progress) { told = append(told, p) }
		c := testbedRun(t, prompts, filepath.Join(dir, name))
		if _, err := Run(t.Context(), env, c); err != nil {
			t.Fatal(err)
		}
		steps := func(p Progress) bool { return p.Phase == Measuring && p.PhaseThing == "token" } // rows are measured too
		if measured := slices.ContainsFunc(told, steps); measured == (len(before) > 0) {
			t.Errorf("the %s run measured: %v, with %d kept results", name, measured, len(before))
		}
		m, _, err := runstore.Read(c.Out)
		if err != nil || len(m.Measured.StepCosts) == 0 {
			t.Errorf("the manifest of the %s run has costs %v, %v", name, m.Measured.StepCosts, err)
		}
	}
}

// TestRedoKeepsWhatIsNotGiven: a run that is done again with one other setting keeps all others, and one that is only
// continued with another setting is refused with the difference.
func TestRedoKeepsWhatIsNotGiven(t *testing.T) {
	prompts, out := somePrompts(t), filepath.Join(t.TempDir(), "run")
	var log bytes.Buffer
	env := testEnv(&log)
	env.InProcess = true
	c := testbedRun(t, prompts, out)
	c.MaxTokens, c.Sampling.Temperature, c.Limit = 64, 0.5, 2
	if _, err := Run(t.Context(), env, c); err != nil {
		t.Fatal(err)
	}
	c, err := ResolveRun(RunSources{Out: out})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := Run(t.Context(), env, c); err != nil || r.Before != 2 || r.Decoded != 0 {
		t.Fatalf("continued with its own settings: %+v, %v", r, err)
	}
	c.Revisions = 2
	var changed *runstore.ChangedError
	if _, err := Run(t.Context(), env, c); !errors.As(err, &changed) || len(changed.Changes) != 1 || changed.Changes[0].Field != "revisions" {
		t.Fatalf("continued with another setting: %v", err)
	}
	c.Redo = true
	r, err := Run(t.Context(), env, c)
	if err != nil || r.Summary.Rows != 2 || r.Summary.Revisions != 4 {
		t.Fatalf("done again: %+v, %v", r, err)
	}
	kept, err := RecordedRun(out)
	if err != nil || kept.Revisions != 2 || kept.MaxTokens != 64 || kept.Sampling.Temperature != 0.5 || kept.Seed != 1 || kept.Limit != 2 {
		t.Errorf("settings after it: %+v, %v", kept, err)
	}
	if strings.Contains(log.String(), "done again with another") {
		t.Errorf("the model is the same:\n%s", log.String())
	}
	log.Reset()
	kept.Model, kept.Redo = "smollm2", true
	if _, err := PlanRun(t.Context(), env, kept); err != nil || !strings.Contains(strings.SplitN(log.String(), "\n", 2)[0], "another model") {
		t.Errorf("with another model: %v\n%s", err, log.String())
	}
}

// TestRowsThatFail: they are counted and listed, and the rest is done.
func TestRowsThatFail(t *testing.T) {
	dir := t.TempDir()
	prompts := filepath.Join(dir, "prompts.jsonl")
	text := `{"id": "a", "prompt": "I want to clean a kettle."}
{"id": "long", "prompt": "` + strings.Repeat("I want to clean a kettle. ", 40) + `"}
{"id": "bad"
`
	if err := os.WriteFile(prompts, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	c := testbedRun(t, prompts, filepath.Join(dir, "run"))
	c.Revisions, c.Demonstrations, c.MaxTokens, c.Compute.Context = 0, revise.BeforeNone, 32, 128
	env := testEnv(io.Discard)
	r, err := Run(t.Context(), env, c)
	var failed *failure.RowsError
	if !errors.As(err, &failed) || failed.Failed != 2 || failed.Of != 3 || r.Summary.Completed != 1 || r.Failed() != 2 || len(r.Failures) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestResponsesUnderTheRunsLock: the first of two stages is not computed while another process writes to the run, nor into
// a folder of other files.
func TestResponsesUnderTheRunsLock(t *testing.T) {
	dir := t.TempDir()
	c := testbedRun(t, somePrompts(t), filepath.Join(dir, "run"))
	c.Critic, c.MaxTokens = "testbed", 32
	free, err := runstore.Claim(c.Out)
	if err != nil {
		t.Fatal(err)
	}
	var locked *runstore.LockedError
	if _, err := Run(t.Context(), testEnv(io.Discard), c); !errors.As(err, &locked) {
		t.Errorf("a run that is locked: %v", err)
	}
	if err := free(); err != nil {
		t.Fatal(err)
	}
	if r, err := Run(t.Context(), testEnv(io.Discard), c); err != nil || r.Summary.Completed != 6 || r.Decoded == 0 {
		t.Errorf("a run that is free: %+v, %v", r, err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "other"), 0o777), os.WriteFile(filepath.Join(dir, "other", "a.txt"), nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	c.Out = filepath.Join(dir, "other")
	if _, err := Run(t.Context(), testEnv(io.Discard), c); !errors.Is(err, runstore.ErrNotARun) {
		t.Errorf("a folder of other files: %v", err)
	}
	if left, err := os.ReadDir(c.Out); err != nil || len(left) != 1 {
		t.Errorf("it now holds %v, %v", left, err)
	}
}
