package runner

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/llama"
	"amend/engine/prompts"
	"amend/engine/revise"
	"amend/models"
)

var (
	exactRows  = flag.Int("exact.rows", 6, "rows of the equality test")
	exactModel = flag.String("exact.model", "smollm2", "model of the equality test")
	exactFlash = flag.Bool("exact.flash", false, "with flash attention, to see what it changes")
	exactKV    = flag.String("exact.kv", "streams", "streams or unified")
	exactKeys  = flag.String("exact.keys", KVAuto, "type of the cached keys, as --kv-type")
)

// TestMain lets the test binary serve as the template process.
func TestMain(m *testing.M) {
	if os.Getenv("AMEND_TEMPLATE_WORKER") != "" {
		if err := llama.TemplateWorker(os.Stdin, os.Stdout); err != nil {
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
	set, err := prompts.Read(path, nil, prompts.Options{Limit: n})
	if err != nil {
		t.Fatal(err)
	}
	return set.Rows
}

type exactRun struct {
	model *llama.Model
	vocab *Vocab
	loop  *revise.Loop
	info  models.Info
	gate  *revise.Gate // of the loop, if it has one
}

func openWorld(t *testing.T, name string) *exactRun {
	t.Helper()
	w, format := openFormat(t, name)
	doc, err := constitution.Load("hhh")
	if err != nil {
		t.Fatal(err)
	}
	doc.Demonstrations = doc.Demonstrations[:2] // about 570 tokens: deep enough, and soon computed
	w.loop, err = revise.New(t.Context(), format, doc, revise.Settings{Rounds: 1, Mode: revise.Faithful, MaxTokens: 16, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// openFormat opens a model and its chat template. The world has no loop yet.
func openFormat(t *testing.T, name string) (*exactRun, *chat.Formatter) {
	t.Helper()
	path, err := models.CachesFrom(os.Getenv).Resolve(name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := models.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	w := &exactRun{info: file.Info()}
	if w.model, err = llama.LoadModel(t.Context(), path, llama.ModelParams{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, w.model.Close) })
	if w.vocab, err = NewVocab(w.model.Vocab(), chat.ThinkTags{}); err != nil {
		t.Fatal(err)
	}
	source, _ := w.model.ChatTemplate("")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AMEND_TEMPLATE_WORKER", "1")
	template, err := llama.NewTemplate(source, llama.TemplateOptions{Worker: []string{self}, Now: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, template.Close) })
	format, err := chat.NewFormatter(t.Context(), chat.NewTemplate(NewRenderer(template)), w.vocab)
	if err != nil {
		t.Fatal(err)
	}
	return w, format
}

// running is how rows run.
type running struct {
	noReuse bool // from their first token
	attach  bool // they read the preamble without holding it
}

// run runs rows in a context of their own.
func (w *exactRun) run(t *testing.T, rows []revise.Row, parallel int, how running) map[string]revise.Record {
	t.Helper()
	need := 0
	for _, r := range rows {
		n, err := w.loop.Need(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		need = max(need, n.Tokens)
	}
	demand := Demand{AttachFrom: attachFrom(how.attach), Preamble: len(w.loop.Prefix()), Parallel: parallel, Need: need, Rows: len(rows), Trained: w.model.CtxTrain(), BytesPerToken: w.info.KVBytesPerToken}
	if w.gate != nil {
		demand.Unshared, demand.PerRow, demand.Preambles = need, 3, 2
	}
	size, err := Fit(demand)
	if err != nil {
		t.Fatal(err)
	}
	size.Threads, size.Unified = 2, *exactKV == "unified"
	if size.TypeK, err = ChooseKVType(*exactKeys, w.info.Quantization, w.model, 0); err != nil {
		t.Fatal(err)
	}
	if size.FlashAttn = llama.FlashOff; *exactFlash {
		size.FlashAttn = llama.FlashOn
	}
	b, err := NewBackend(w.model, size)
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, b.Close)
	e, err := engine.New(b, w.vocab, engine.Config{NoReuse: how.noReuse, Verify: true})
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

func closing(t *testing.T, f func() error) {
	t.Helper()
	if err := f(); err != nil {
		t.Error(err)
	}
}
