package app

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/digest/digesttest"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/engine/sample"
)

// fileSum stands for the hash of a file: another path is another file.
func fileSum(path string) string { return "sum of " + path }

// resultsOf is what names a run by its settings, stage by stage, if every path is a file of its own.
func resultsOf(t *testing.T, c RunConfig) string {
	t.Helper()
	responses := ""
	for _, s := range c.stages() {
		adapter := runner.ParseAdapter(s.config.LoRA)
		r := s.config.results(contents{
			Model: fileSum(s.config.Model), Adapter: fileSum(adapter.Path), AdapterScale: adapter.Scale, Template: fileSum(s.config.Compute.Template),
			Constitution: fileSum(strings.Join(append(s.config.layers(), s.config.Principles...), " ")), Prompts: fileSum(s.config.Prompts),
			Grammar: fileSum(s.config.CritiqueGrammar), Responses: responses, KeyType: s.config.Context.KVType,
		})
		var err error
		if responses, err = r.Hash(); err != nil {
			t.Fatal(err)
		}
	}
	return responses
}

// fullRunConfig has a value of its own in every setting.
func fullRunConfig() RunConfig {
	c := DefaultRunConfig()
	c.Model, c.LoRA, c.Critic, c.CriticLoRA = "m.gguf", "a.gguf=0.5", "c.gguf", "b.gguf"
	c.Constitution, c.Principles = []string{"mine.yaml"}, []string{"kind"}
	c.Prompts, c.Out, c.System, c.CritiqueGrammar = "p.jsonl", "out", "Be brief.", "g.gbnf"
	c.Sampling = sample.Params{Temperature: 0.5, TopK: 40, TopP: 0.75, MinP: 0.125, RepetitionPenalty: 1.25, FrequencyPenalty: 0.5, PresencePenalty: 0.25, PenaltyWindow: 64,
		LogitBias: sample.LogitBias{2: math.Inf(-1), 7: -5}}
	c.Gate = GateConfig{On: true, Tries: 3, Margin: 0.25, Veto: 0.125, MinMass: 0.5}
	c.Compute.Template, c.Context.PreambleCache = "t.jinja", "cache"
	return c
}

// TestRunConfigKeys changes each setting: what its key tag says is what becomes of a run that is there.
func TestRunConfigKeys(t *testing.T) {
	c := fullRunConfig()
	was := resultsOf(t, c)
	digesttest.Fields(t, &c, func(path string, keys []string) {
		changes := !slices.Equal(keys, []string{"none"})
		if another := resultsOf(t, c) != was; another != changes {
			t.Errorf("changing %s, tagged %v: another run: %v", path, keys, another)
		}
	})
}

// TestFeedbackConfigKeys changes each setting of the judge. Those that say which pairs are judged show in their source.
func TestFeedbackConfigKeys(t *testing.T) {
	c := DefaultFeedbackConfig()
	c.Judge, c.Reasonings, c.Constitution, c.Principles, c.LoRA = "m.gguf", 1, []string{"mine.yaml"}, []string{"kind"}, "a.gguf"
	made := func() any {
		return struct {
			Settings runstore.FeedbackSettings
			Pairs    []any
			Drawn    string
		}{
			c.settings(contents{
				Model: fileSum(c.Judge), Template: fileSum(c.Compute.Template), KeyType: c.Context.KVType,
				Constitution: fileSum(strings.Join(append(slices.Clone(c.Constitution), c.Principles...), " ")),
			}),
			[]any{c.Run, c.Pairs, c.Prompts, c.Rounds, c.Pairing},
			resultsOf(t, c.drawing()),
		}
	}
	was := made()
	digesttest.Fields(t, &c, func(path string, keys []string) {
		if path == "Clamp" { // the change is a third number, which is refused
			c.Clamp = []float64{0.25, 0.75}
		}
		changes := !slices.Equal(keys, []string{"none"})
		if another := !reflect.DeepEqual(made(), was); another != changes {
			t.Errorf("changing %s, tagged %v: other labels: %v", path, keys, another)
		}
	})
}

// TestSettingsKeepEverything: a run directory holds every setting, and paths are found from wherever amend is started.
func TestSettingsKeepEverything(t *testing.T) {
	home := t.TempDir()
	t.Chdir(home)
	out := filepath.Join("runs", "first")
	if err := os.MkdirAll(out, 0o777); err != nil {
		t.Fatal(err)
	}
	c := fullRunConfig()
	c.Out = out
	kept := c.record()
	if err := keepSettings(out, RunSettingsFile, &kept); err != nil {
		t.Fatal(err)
	}
	for name, f := range settingFields(reflect.ValueOf(fullRunConfig())) {
		if f.IsZero() && !slices.Contains([]string{"from-responses", "limit", "logprobs", "seed", "ctx", "threads", "deterministic", "parallel"}, name) {
			t.Errorf("the test leaves %s as it is", name)
		}
	}
	t.Chdir(filepath.Join(home, "runs"))
	var got RunConfig
	if err := readSettings(filepath.Join("first", RunSettingsFile), &got); err != nil {
		t.Fatal(err)
	}
	want := fullRunConfig()
	want.Out = ""
	rewrite(want.paths(), func(p string) string { return filepath.Join("..", p) })
	if !reflect.DeepEqual(got, want) {
		t.Errorf("settings came back as\n%+v\nwant\n%+v", got, want)
	}
}

// settingFields are a config's fields by their yaml names.
func settingFields(v reflect.Value) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if options == "inline" {
			for k, f := range settingFields(v.Field(i)) {
				out[k] = f
			}
		} else if name != "-" {
			out[name] = v.Field(i)
		}
	}
	return out
}

// TestOrderOfSettings: a config file wins over another run's settings, those over the run's own, those over defaults, and
// another run gives neither prompts nor constitution nor a place.
func TestOrderOfSettings(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	made := func(name string, change func(*RunConfig)) {
		c := DefaultRunConfig()
		c.Prompts, c.Out, c.Constitution = name+".jsonl", name, []string{name + ".yaml"}
		change(&c)
		run, _, err := runstore.Open(name, runstore.Manifest{Created: "2026-11-30"}, runstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		kept := c.record()
		if err := errors.Join(keepSettings(name, RunSettingsFile, &kept), run.Close()); err != nil {
			t.Fatal(err)
		}
	}
	made("own", func(c *RunConfig) { c.Seed, c.MaxTokens, c.Revisions, c.Samples = 1, 11, 4, 3 })
	made("other", func(c *RunConfig) { c.Seed, c.MaxTokens, c.Revisions = 2, 22, 2 })
	if err := os.WriteFile("file.yaml", []byte("seed: 3\nsystem: Be brief.\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := ResolveRun(RunSources{Out: "own"})
	if err != nil || c.Seed != 1 || c.MaxTokens != 11 || c.Prompts != filepath.Join("own", "..", "own.jsonl") || c.Out != "own" || c.Sampling.Temperature != 1 {
		t.Errorf("the run's own: %+v, %v", c, err)
	}
	c, err = ResolveRun(RunSources{Out: "own", Like: "other"})
	if err != nil || c.Seed != 2 || c.MaxTokens != 22 || c.Revisions != 2 || c.Samples != 1 || filepath.Base(c.Prompts) != "own.jsonl" || filepath.Base(c.Constitution[0]) != "own.yaml" || c.Out != "own" {
		t.Errorf("like another: %+v, %v", c, err)
	}
	c, err = ResolveRun(RunSources{Out: "new", Like: "other", Config: "file.yaml"})
	if err != nil || c.Seed != 3 || c.MaxTokens != 22 || c.System != "Be brief." || c.Prompts != "" || c.Constitution != nil || c.Out != "new" {
		t.Errorf("a file over another's: %+v, %v", c, err)
	}
}

// TestBadSettingsFiles: what is no setting is refused with its line, and nothing is taken silently.
func TestBadSettingsFiles(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"max-tokens: 12\nmax_tokens: 8\n": "line 2",
		"revisions: many\n":               "line 1",
		"- a\n":                           "line 1",
	} {
		file := filepath.Join(dir, "c.yaml")
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		c := DefaultRunConfig()
		err := readSettings(file, &c)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) || !IsInput(err) {
			t.Errorf("%q: %v, want %s of %s in it", text, err, want, file)
		}
	}
	c, err := ResolveRun(RunSources{Like: filepath.Join(dir, "nowhere"), Out: "x"})
	var field *failure.FieldError
	if !errors.As(err, &field) || field.Field != "like" {
		t.Errorf("like nothing: %+v, %v", c, err)
	}
}

// TestSettingsOfFormat2: a run of before there were settings files has those of its manifest, and what that lacks are the
// defaults of its version.
func TestSettingsOfFormat2(t *testing.T) {
	old := filepath.Join("..", "cli", "testdata", "oldruns", "format2")
	plain, err := RecordedRun(filepath.Join(old, "plain"))
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultRunConfig()
	want.Model, want.Prompts, want.Limit, want.Out = "testbed", "prompts.jsonl", 3, filepath.Join(old, "plain")
	want.Constitution = []string{filepath.Join(old, "plain", runstore.ConstitutionFile)}
	want.Mode, want.DemonstrationSets, want.Seed, want.LogProbs, want.MaxTokens = revise.Append, 2, 8, true, 96
	want.Sampling = sample.Params{Temperature: 0.8, TopP: 0.95, TopK: 50, MinP: 0.01, RepetitionPenalty: 1.01, FrequencyPenalty: 0.01,
		LogitBias: sample.LogitBias{3: math.Inf(-1), 7: 0.5}}
	want.Context.KVType = plain.Context.KVType
	if !reflect.DeepEqual(plain, want) {
		t.Errorf("plain has\n%+v\nwant\n%+v", plain, want)
	}
	staged, err := RecordedRun(filepath.Join(old, "staged"))
	if err != nil {
		t.Fatal(err)
	}
	if staged.CriticLoRA != "critic.gguf=0.001" || staged.LoRA != "" || staged.Critic != "" || staged.Model != "testbed" || staged.Revisions != 1 {
		t.Errorf("staged has %+v", staged)
	}
	gated, err := RecordedRun(filepath.Join(old, "gated"))
	if err != nil || !gated.Gate.On || gated.Gate.Tries != 2 {
		t.Errorf("gated has %+v, %v", gated.Gate, err)
	}
}
