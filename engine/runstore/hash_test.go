package runstore

import (
	"cmp"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"amend/engine/digest"
	"amend/engine/digest/digesttest"
	"amend/engine/enginetest/golden"
	"amend/engine/feedback"
	"amend/engine/plainjson"
	"amend/engine/prompts"
	"amend/engine/revise"
)

// goldenResults have a value of their own in every field.
func goldenResults() Results {
	return Results{
		ModelSHA256: "a model", ModelSize: 1, LoRASHA256: "an adapter", LoRAScale: 0.5, Responses: "a run", TemplateSHA256: "a template", Chat: "template",
		ConstitutionSHA256: "a constitution", PromptsSHA256: "prompts", FromResponses: true, Preambles: 2, NoFewShots: true, Samples: 3,
		Mode: "append", Revisions: 4, NoCritique: true, System: "Be brief. <é>", Seed: 1<<63 + 1, MaxTokens: 5,
		Temperature: 0.75, TopK: 6, TopP: 0.5, MinP: 0.125, RepetitionPenalty: 1.25, FrequencyPenalty: 0.25, PresencePenalty: -0.5, PenaltyWindow: 7,
		LogitBias: []string{"3=-inf", "9=2.5"}, GrammarSHA256: "a grammar", LogProbs: true,
		Gate: Gate{On: true, Tries: 8, Margin: 0.0625, Veto: 0.03125, MinMass: 0.1}, KVType: "q8_0", Deterministic: true,
	}
}

// goldenLabels have a value of their own in every field.
func goldenLabels() FeedbackSettings {
	return FeedbackSettings{
		Source: digest.PairSource{Pairs: "0123"}, Date: "2026-01-02", ModelSHA256: "a model", LoRASHA256: "an adapter", LoRAScale: 0.5, TemplateSHA256: "a template",
		Chat: "template", KVType: "q8_0", Deterministic: true, Constitution: "name", ConstitutionSHA256: "a constitution", ConstitutionText: "text <é>",
		Principles: 2, Layout: "options-first", Seed: 1<<63 + 1, MinMass: 0.1, Reasonings: 3, Clamp: [2]float64{0.4, 0.6}, MaxTokens: 4,
		Temperature: 0.75, TopK: 5, TopP: 0.5, MinP: 0.125,
	}
}

// TestGoldenHashes pins what names a run, and the text by which a label set is found.
func TestGoldenHashes(t *testing.T) {
	var lines []string
	for _, r := range []Results{{}, goldenResults()} {
		name, err := r.Hash()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, name, string(text))
	}
	for _, s := range []FeedbackSettings{{}, goldenLabels()} {
		text, err := plainjson.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	golden.Check(t, "hashes", lines)
}

// TestManifestKeys changes each field of a manifest and continues the run: one of Results is refused, under another hash; one of
// Setup is told.
func TestManifestKeys(t *testing.T) {
	m := Manifest{Created: "2026-03-01", Results: goldenResults(), Setup: goldenSetup()}
	dir := t.TempDir()
	if r, _ := open(t, dir, m); r.Close() != nil {
		t.Fatal("closing the run")
	}
	was, err := m.Results.Hash()
	if err != nil {
		t.Fatal(err)
	}
	attempt := func(path string, keys []string) {
		r, warnings, err := Open(dir, m, Options{})
		if err == nil {
			defer r.Close()
		}
		made, hashErr := m.Results.Hash()
		if hashErr != nil {
			t.Fatal(hashErr)
		}
		var changed *ChangedError
		run := slices.Equal(keys, []string{"run"})
		if errors.As(err, &changed) != run || (made != was) != run {
			t.Errorf("changing %s, tagged %v: %v; another hash: %v", path, keys, err, made != was)
		}
		if !run && (err != nil || len(warnings) != 1 || !slices.Equal(keys, []string{"none"})) {
			t.Errorf("changing %s, tagged %v: %v, warnings %v", path, keys, err, warnings)
		}
	}
	digesttest.Fields(t, &m.Results, attempt)
	digesttest.Fields(t, &m.Setup, attempt)
}

// TestSettingsAreRecorded: what the settings of the loop and of a judge tag "run" is in what names a run or a label set.
func TestSettingsAreRecorded(t *testing.T) {
	names := map[string]string{"Rounds": "Revisions"} // that differ
	for _, c := range []struct{ settings, recorded reflect.Type }{
		{reflect.TypeFor[revise.Settings](), reflect.TypeFor[Results]()},
		{reflect.TypeFor[feedback.Settings](), reflect.TypeFor[FeedbackSettings]()},
	} {
		for i := range c.settings.NumField() {
			f := c.settings.Field(i)
			name := cmp.Or(names[f.Name], f.Name)
			if _, ok := c.recorded.FieldByName(name); !ok && f.Tag.Get("key") == "run" {
				t.Errorf("%s.%s is tagged run, and %s has no %s", c.settings, f.Name, c.recorded, name)
			}
		}
	}
}

// goldenSetup has a value in every field.
func goldenSetup() Setup {
	return Setup{
		Amend: "1", LlamaCpp: "2", Model: "m.gguf", Architecture: "llama", LoRA: "a.gguf", Constitution: "name", ConstitutionVersion: "3",
		Principles: []string{"kind"}, Template: "t.jinja", Prompts: prompts.Paths{"p.jsonl"}, Limit: 4, Rows: 5, Threads: 6, Context: 7, Parallel: 8, KV: "streams",
		GPULayers: 9, FlashAttention: true, Machine: Machine{CPU: "a CPU", Cores: 2, OS: "linux", Arch: "amd64"},
	}
}

// TestFeedbackKeys changes each field of the settings of labels: those that are there are of another set.
func TestFeedbackKeys(t *testing.T) {
	s, dir, p := goldenLabels(), t.TempDir(), feedback.Pair{ID: "a", First: "one", Second: "two"}
	find := func() bool {
		f, err := OpenFeedback(dir, s)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, ok := f.Label(p)
		return ok
	}
	f, err := OpenFeedback(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Append(p, feedback.Label{ID: "a", Pair: p.Hash()}, 1), f.Close()); err != nil {
		t.Fatal(err)
	}
	if !find() {
		t.Fatal("the label is not found")
	}
	digesttest.Fields(t, &s, func(path string, keys []string) {
		if !slices.Equal(keys, []string{"run"}) {
			t.Errorf("%s is tagged %v", path, keys)
		}
		if strings.HasPrefix(path, "Source.") && s.Source.String() == goldenLabels().Source.String() {
			return // a field that this kind of source has no use for
		}
		if find() {
			t.Errorf("changing %s: the label is found", path)
		}
	})
}
