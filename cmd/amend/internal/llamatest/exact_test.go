package llamatest

import (
	"flag"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"amend/cmd/amend/internal/runner"
	"amend/constitution"
	"amend/engine"
	"amend/engine/prompts"
	"amend/engine/revise"
)

var (
	exactRows  = flag.Int("exact.rows", 6, "rows of the equality test")
	exactModel = flag.String("exact.model", "smollm2", "model of the equality test")
	exactFlash = flag.Bool("exact.flash", false, "with flash attention, to see what it changes")
	exactKV    = flag.String("exact.kv", "streams", "streams or unified")
	exactKeys  = flag.String("exact.keys", runner.KVAuto, "type of the cached keys, as --kv-type")
)

// templateWorker, in the environment, makes the test binary the process that renders chat templates.
const templateWorker = "AMEND_TEMPLATE_WORKER"

// TestMain lets the test binary serve as the template process.
func TestMain(m *testing.M) {
	if os.Getenv(templateWorker) != "" {
		if err := runner.TemplateWorker(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestTogetherAsAlone: greedy turns of rows that run 16 at
// once over a shared preamble, with every prefix reused, are those of the rows
// computed one at a time from their first token. Contexts are deeper than 512
// tokens, where llama.cpp may choose other kernels. What makes this exact, and
// for which weights it is not, is in docs/design/exactness.md.
//
// Rows that are attached to the preamble, as runs have them by default, are
// compared with the row in a context of its own, attached to the same preamble.
func TestTogetherAsAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for minutes")
	}
	rows := realRows(t, *exactRows)
	w := openWorld(t, *exactModel)
	t.Run("copied", func(t *testing.T) {
		compareRows(t, rows, w.run(t, rows, 16, running{}), w.run(t, rows, 1, running{noReuse: true}))
	})
	t.Run("attached", func(t *testing.T) {
		alone := map[string]revise.Record{}
		for _, r := range rows {
			maps.Copy(alone, w.run(t, []revise.Row{r}, 1, running{attach: true}))
		}
		compareRows(t, rows, w.run(t, rows, 16, running{attach: true}), alone)
	})
}

// compareRows compares the tokens of rows that ran together and alone.
func compareRows(t *testing.T, rows []revise.Row, together, alone map[string]revise.Record) {
	t.Helper()
	var turns, tokens, differ int
	for _, in := range rows {
		a, b := together[in.ID], alone[in.ID]
		if a.Error != "" || b.Error != "" || len(a.Turns) != len(b.Turns) {
			t.Fatalf("row %s: %d turns %q, alone %d turns %q", in.ID, len(a.Turns), a.Error, len(b.Turns), b.Error)
		}
		for i := range a.Turns {
			turns++
			tokens += len(a.Turns[i].Tokens)
			if !slices.Equal(a.Turns[i].Tokens, b.Turns[i].Tokens) {
				differ++
				t.Errorf("row %s, %s (prompt of %d tokens):\n together %q\n alone    %q", in.ID, a.Turns[i].Kind, a.Turns[i].Prompt, a.Turns[i].Text, b.Turns[i].Text)
				break // later turns start from other text
			}
			if a.Turns[i].Prompt <= 512 {
				t.Errorf("row %s: a prompt of %d tokens is no deeper than 512", in.ID, a.Turns[i].Prompt)
			}
		}
	}
	t.Logf("%d rows, %d turns, %d tokens compared; %d rows differ", len(rows), turns, tokens, differ)
}

// realRows are hh-rlhf conversations where they are at hand, the project's own
// prompts elsewhere.
func realRows(t *testing.T, n int) []revise.Row {
	t.Helper()
	root := filepath.Join("..", "..", "..", "..")
	path := filepath.Join(root, "..", "shared", "data", "hh-rlhf-harmless-test-a.jsonl.gz")
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join(root, "examples", "prompts.jsonl")
	}
	set, err := prompts.Read(prompts.Paths{path}, nil, prompts.Options{Limit: n})
	if err != nil {
		t.Fatal(err)
	}
	return set.Rows
}

// exactRun is a model that is opened as amend run opens it, and a loop on it.
type exactRun struct {
	model *runner.Model
	loop  *revise.Loop
	gate  *revise.Gate // of the loop, if it has one
}

// openWorld opens a model, with a loop under some demonstrations.
func openWorld(t *testing.T, name string) *exactRun {
	t.Helper()
	w := &exactRun{model: openModel(t, name)}
	doc, err := constitution.Load("hhh")
	if err != nil {
		t.Fatal(err)
	}
	doc.Demonstrations = doc.Demonstrations[:2] // about 570 tokens: deep enough, and soon computed
	w.loop, err = revise.New(t.Context(), w.model.Format(), doc, revise.Settings{Rounds: 1, Mode: revise.Faithful, MaxTokens: 16, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// openModel opens a model and its chat template.
func openModel(t *testing.T, name string) *runner.Model {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(templateWorker, "1")
	c := runner.DefaultCompute()
	c.Threads = 2
	m, err := runner.Open(t.Context(), runner.Weights{Model: name}, c, runner.Options{
		Log: slog.New(slog.DiscardHandler), TemplateWorker: []string{self}, Date: "1970-01-01",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, m.Close) })
	return m
}

// running is how rows run.
type running struct {
	noReuse bool // from their first token
	attach  bool // they read the preamble without holding it
}

// run runs rows in a context of their own.
func (w *exactRun) run(t *testing.T, rows []revise.Row, parallel int, how running) map[string]revise.Record {
	t.Helper()
	b, err := w.model.NewContext(w.fit(t, rows, parallel, how.attach))
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, b.Close)
	e, err := w.model.EngineOver(b, "", engine.Config{NoReuse: how.noReuse, Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Pin(t.Context(), w.loop.Prefix()); err != nil {
		t.Fatal(err)
	}
	if w.gate != nil {
		if err := e.Pin(t.Context(), w.gate.Judge.Prefix()); err != nil {
			t.Fatal(err)
		}
	}
	out := map[string]revise.Record{}
	err = w.loop.Run(t.Context(), e, parallel, revise.Rows(rows), func(r revise.Record) error { out[r.ID] = r; return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("parallel %d, %+v: %+v", parallel, how, e.Stats())
	return out
}

// fit chooses the sizes of a context for rows.
func (w *exactRun) fit(t *testing.T, rows []revise.Row, parallel int, attach bool) runner.ContextPlan {
	t.Helper()
	c := runner.ContextConfig{KV: runner.Layout(*exactKV), KVType: *exactKeys, Parallel: parallel}
	kind, err := w.model.Kind(c)
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.model.Requirements(c)
	if err != nil {
		t.Fatal(err)
	}
	d.Rows, d.Preamble, d.FreeMemory = len(rows), len(w.loop.Prefix()), 0 // as many rows as are asked for
	for _, r := range rows {
		n, err := w.loop.Need(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		d.Need = max(d.Need, n.Tokens)
	}
	if w.gate != nil {
		d.Unshared, d.PerRow, d.Preambles = d.Need, 3, 2
	}
	if attach {
		if d.AttachFrom, err = w.model.AttachFrom(kind); err != nil {
			t.Fatal(err)
		}
	}
	size, err := w.model.Plan(d, kind)
	if err != nil {
		t.Fatal(err)
	}
	if *exactFlash {
		size = size.WithFlashAttention(true)
	}
	return size
}

func closing(t *testing.T, f func() error) {
	t.Helper()
	if err := f(); err != nil {
		t.Error(err)
	}
}
