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
	"amend/engine/digest"
	"amend/engine/digest/digesttest"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/engine/sample"
	"amend/models"
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
			Constitution: fileSum(strings.Join(append(s.config.layers(), s.config.Principles...), " ")), Prompts: fileSum(s.config.Prompts.String()),
			Grammar: fileSum(s.config.CritiqueGrammar), Responses: responses, KeyType: s.config.Context.KVType,
			Server: s.config.CriticURLModel,
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
	c.CriticURL, c.CriticURLModel = "http://127.0.0.1:8080/v1", "big"
	c.Constitution, c.Principles = []string{"mine.yaml"}, []string{"kind"}
	c.Prompts, c.Map, c.Out, c.System, c.CritiqueGrammar = []string{"p.jsonl"}, []string{"prompt=question"}, "out", "Be brief.", "g.gbnf"
	c.Sampling = sample.Params{Temperature: 0.5, TopK: 40, TopP: 0.75, MinP: 0.125, RepetitionPenalty: 1.25, FrequencyPenalty: 0.5, PresencePenalty: 0.25, PenaltyWindow: 64,
		LogitBias: sample.LogitBias{2: math.Inf(-1), 7: -5}}
	c.Own = OwnLimits{CritiqueTemperature: 0.25, CritiqueMaxTokens: 96, RevisionTemperature: 0.75, RevisionMaxTokens: 192}
	c.Gate = GateConfig{On: true, Tries: 3, Margin: 0.25, Veto: 0.125, MinMass: 0.5, Untested: true}
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

// sourceOf says which pairs are judged, if every path is a file of its own and every run has samples and rounds.
func sourceOf(t *testing.T, c FeedbackConfig) string {
	t.Helper()
	switch {
	case len(c.Pairs) > 0:
		return digest.PairSource{Pairs: pairsHash(fileSum(c.Pairs.String()), c.Map)}.String()
	case len(c.Prompts) > 0:
		return "drawn: " + resultsOf(t, c.drawing())
	}
	l := labelling{job: feedbackJob{Config: c}}
	if _, err := l.pairs(runstore.Manifest{Results: runstore.Results{PromptsSHA256: fileSum(c.Run), Samples: 4, Revisions: 3}}); err != nil {
		t.Fatal(err)
	}
	return l.job.Source.String()
}

// TestFeedbackConfigKeys changes each setting, of the judge and of what is judged: what its key tag says is what becomes of
// labels that are there.
func TestFeedbackConfigKeys(t *testing.T) {
	what := map[string]func(*FeedbackConfig){ // the settings that count with it
		"a run's samples": func(c *FeedbackConfig) { c.Run, c.Pairing = "run", PairFirst },
		"a run's rounds":  func(c *FeedbackConfig) { c.Run, c.Rounds = "run", []int{0, 1} },
		"a file":          func(c *FeedbackConfig) { c.Pairs = []string{"pairs.jsonl"} },
		"prompts":         func(c *FeedbackConfig) { c.Prompts, c.LoRA = []string{"prompts.jsonl"}, "a.gguf" },
	}
	changed, tags := map[string]bool{}, map[string][]string{}
	for name, choose := range what {
		c := DefaultFeedbackConfig()
		c.Judge, c.Reasonings, c.Constitution, c.Principles = "m.gguf", 1, []string{"mine.yaml"}, []string{"kind"}
		choose(&c)
		made := func() any {
			return []any{sourceOf(t, c), c.settings(contents{
				Model: fileSum(c.Judge), Template: fileSum(c.Compute.Template), KeyType: c.Context.KVType,
				Constitution: fileSum(strings.Join(append(slices.Clone(c.Constitution), c.Principles...), " ")),
			})}
		}
		was := made()
		digesttest.Fields(t, &c, func(path string, keys []string) {
			switch path {
			case "Clamp": // the change is a third number, which is refused
				c.Clamp = []float64{0.25, 0.75}
			case "Rounds", "Rounds[0]", "Rounds[1]": // likewise; samples have none
				if c.Rounds = []int{1, 2}; c.Pairing != "" {
					c.Rounds = nil
				}
			case "Pairing": // or one that there is not
				if c.Pairing = PairNeighbours; len(c.Pairs) == 0 && len(c.Prompts) == 0 && len(c.Rounds) == 0 {
					break
				}
				c.Pairing = ""
			}
			another := !reflect.DeepEqual(made(), was)
			changed[path], tags[path] = changed[path] || another, keys
			if another && slices.Equal(keys, []string{"none"}) {
				t.Errorf("of %s, changing %s, tagged %v, makes other labels", name, path, keys)
			}
		})
	}
	for path, keys := range tags {
		if !changed[path] && !slices.Equal(keys, []string{"none"}) {
			t.Errorf("changing %s, tagged %v, never makes other labels", path, keys)
		}
	}
}

// TestSettingsKeepEverything: a run directory holds every setting, and paths are found from wherever amend is started.
func TestSettingsKeepEverything(t *testing.T) {
	home := t.TempDir()
	t.Chdir(home)
	out := filepath.Join("runs", "first")
	if err := os.MkdirAll(out, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"m.gguf", "mine.yaml"} { // the critic's model is not here any more
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	c := fullRunConfig()
	c.Out = out
	kept := c.record()
	text, err := settingsText(out, &kept)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, runstore.SettingsFile), text, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, f := range Settings(reflect.ValueOf(fullRunConfig())) {
		if f.IsZero() && !slices.Contains([]string{"from-responses", "limit", "logprobs", "seed", "ctx", "threads", "deterministic", "parallel", "quote"}, name) {
			t.Errorf("the test leaves %s as it is", name)
		}
	}
	t.Chdir(filepath.Join(home, "runs"))
	var got RunConfig
	if err := readSettings(filepath.Join("first", runstore.SettingsFile), &got); err != nil {
		t.Fatal(err)
	}
	want := fullRunConfig()
	want.Out = ""
	rewrite(want.paths(), func(p string, _ []string) string { return filepath.Join("..", p) })
	want.Critic = "c.gguf" // may be a name
	if !reflect.DeepEqual(got, want) {
		t.Errorf("settings came back as\n%+v\nwant\n%+v", got, want)
	}
}

// TestOrderOfSettings: a config file wins over another run's settings, those over the run's own, those over defaults, and
// another run gives neither prompts nor constitution nor a place.
func TestOrderOfSettings(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	made := func(name string, change func(*RunConfig)) {
		c := DefaultRunConfig()
		c.Prompts, c.Out, c.Constitution = []string{name + ".jsonl"}, name, []string{name + ".yaml"}
		if err := os.WriteFile(c.Constitution[0], nil, 0o666); err != nil {
			t.Fatal(err)
		}
		change(&c)
		kept := c.record()
		text, err := settingsText(name, &kept)
		if err != nil {
			t.Fatal(err)
		}
		run, _, err := runstore.Open(name, runstore.Manifest{Created: "2026-11-30"}, runstore.Options{Settings: text})
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
	}
	made("own", func(c *RunConfig) { c.Seed, c.MaxTokens, c.Revisions, c.Samples = 1, 11, 4, 3 })
	made("third", func(c *RunConfig) { c.Seed, c.MaxTokens = 5, 55 })
	made("other", func(c *RunConfig) { c.Seed, c.MaxTokens, c.Revisions = 2, 22, 2 })
	if err := os.WriteFile("file.yaml", []byte("seed: 3\nsystem: Be brief.\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := ResolveRun(RunSources{Out: "own"})
	if err != nil || c.Seed != 1 || c.MaxTokens != 11 || c.Prompts.String() != filepath.Join("own", "..", "own.jsonl") || c.Out != "own" || !reflect.DeepEqual(c.Sampling, DefaultRunConfig().Sampling) {
		t.Errorf("the run's own: %+v, %v", c, err)
	}
	c, err = ResolveRun(RunSources{Out: "own", Like: "other"})
	if err != nil || c.Seed != 2 || c.MaxTokens != 22 || c.Revisions != 2 || c.Samples != 1 || filepath.Base(c.Prompts.String()) != "own.jsonl" || filepath.Base(c.Constitution[0]) != "own.yaml" || c.Out != "own" {
		t.Errorf("like another: %+v, %v", c, err)
	}
	c, err = ResolveRun(RunSources{Out: "new", Like: "other", Config: "file.yaml"})
	if err != nil || c.Seed != 3 || c.MaxTokens != 22 || c.System != "Be brief." || len(c.Prompts) > 0 || c.Constitution != nil || c.Out != "new" {
		t.Errorf("a file over another's: %+v, %v", c, err)
	}
	c, err = ResolveRun(RunSources{Out: "own", Config: "file.yaml"})
	if err != nil || c.Seed != 3 || c.MaxTokens != 11 || c.System != "Be brief." || filepath.Base(c.Prompts.String()) != "own.jsonl" {
		t.Errorf("a file over the run's own: %+v, %v", c, err)
	}
	if err := os.WriteFile("names.yaml", []byte("seed: 3\nout: own\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err = ResolveRun(RunSources{Config: "names.yaml"})
	if err != nil || c.Seed != 3 || c.MaxTokens != 11 || filepath.Clean(c.Out) != "own" {
		t.Errorf("a file that names the run: %+v, %v", c, err)
	}
	c, err = ResolveRun(RunSources{Out: "third", Config: "names.yaml"})
	if err != nil || c.Seed != 3 || c.MaxTokens != 55 || c.Out != "third" {
		t.Errorf("a run that is given, over that of the file: %+v, %v", c, err)
	}
}

// TestBadSettingsFiles: a fault names the file, the line, the setting and what it must be.
func TestBadSettingsFiles(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"seed: 1\nmax-tokens: many\n":     `line 2: max-tokens "many": must be a whole number`,
		"max-tokens: 1.5\n":               `line 1: max-tokens "1.5": must be a whole number`,
		"seed: -1\n":                      `line 1: seed "-1": must be a whole number of at least 0`,
		"temperature: [1]\n":              `line 1: temperature must be a number`,
		"temperature:\n":                  `line 1: temperature has no value; it must be a number`,
		"critique: 7\n":                   `line 1: critique "7": must be true or false`,
		"principles: kind\n":              `line 1: principles "kind": must be a list, such as [a, b], of which each is a text`,
		"logit-bias: 5\n":                 `line 1: logit-bias "5": must be names or numbers with a value each, such as {1: 0.5}`,
		"seed: 1\nlimit: 2\nseed: 2\n":    `line 3: seed stands here a second time`,
		"seed: 1\n---\nseed: 2\n":         `line 2: a second YAML document begins; settings are one document`,
		"[seed]\n":                        `line 1: must be settings by their names, such as seed: 1`,
		"temprature: 1\n":                 `line 1: there is no setting "temprature"; the nearest are temperature, template`,
		"seed: 1\nlora:\n# and no more\n": "",
		"# nothing\n":                     "",
	} {
		file := filepath.Join(dir, "c.yaml")
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		c := DefaultRunConfig()
		switch err := readSettings(file, &c); {
		case want == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case want != "" && (err == nil || err.Error() != file+": "+want || !IsInput(err)):
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
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
	want := RunConfig{ // written out: a default that changes must not change it
		Model: "testbed", Prompts: []string{"prompts.jsonl"}, Limit: 3, Out: filepath.Join(old, "plain"),
		Demonstrations: revise.BeforeAll, Samples: 1, Revisions: 2, Critique: true, Speculate: true,
		Draw: revise.Random, Revise: revise.Always, Preset: Paper, Own: OwnLimits{CritiqueTemperature: -1, RevisionTemperature: -1},
		Gate:    GateConfig{Tries: 2, MinMass: 0.1},
		Compute: runner.ComputeConfig{Chat: "template", GPULayers: -1},
		Context: runner.ContextConfig{KV: "auto", KVType: "q8_0"},
	}
	want.Constitution = []string{filepath.Join(old, "plain", runstore.ConstitutionFile)}
	want.Mode, want.DemonstrationSets, want.Seed, want.LogProbs, want.MaxTokens = revise.Append, 2, 8, true, 96
	want.Sampling = sample.Params{Temperature: 0.8, TopP: 0.95, TopK: 50, MinP: 0.01, RepetitionPenalty: 1.01, FrequencyPenalty: 0.01,
		LogitBias: sample.LogitBias{3: math.Inf(-1), 7: 0.5}}
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

// TestDefaultsAreFrozen: a default that changes, or a setting that is added, is another format: runs of before mean the old
// one.
func TestDefaultsAreFrozen(t *testing.T) {
	if got, want := DefaultRunConfig(), runDefaults(runstore.Format); !reflect.DeepEqual(got, want) {
		t.Errorf("the defaults are\n%+v\nand those of format %d\n%+v\nraise runstore.Format, and add the new ones to runDefaults", got, runstore.Format, want)
	}
	for format := runstore.OldestFormat; format <= runstore.Format; format++ {
		if c := runDefaults(format); c.MaxTokens == 0 || format < 4 && c.Model != "testbed" {
			t.Errorf("there are no defaults of format %d", format)
		}
	}
}

// TestNamesOfModels: a name may have slashes, as those of the Hugging Face cache have, and stays a name.
func TestNamesOfModels(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(os.MkdirAll("runs", 0o777), os.WriteFile("here", nil, 0o666), os.WriteFile("smollm2", nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string][2]string{
		"smollm2":          {"smollm2", "smollm2"},
		"org/repo/file":    {"org/repo/file", "org/repo/file"},
		"here":             {"../here", "here"},
		"./nowhere.gguf":   {"../nowhere.gguf", "nowhere.gguf"},
		"../other/m.gguf":  {"../../other/m.gguf", "../other/m.gguf"},
		"/models/big.gguf": {"", "/models/big.gguf"},
	} {
		base, err := filepath.Abs("runs")
		if err != nil {
			t.Fatal(err)
		}
		kept := relativeTo(base)(given, models.Reserved())
		if want[0] != "" && kept != filepath.FromSlash(want[0]) {
			t.Errorf("%s is kept as %s, want %s", given, kept, want[0])
		}
		found := from("runs")(kept, models.Reserved())
		if abs, err := filepath.Abs(found); err != nil || found != want[1] && abs != want[1] {
			t.Errorf("%s is found as %s, want %s", given, found, want[1])
		}
	}
}
