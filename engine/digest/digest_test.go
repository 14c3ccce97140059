package digest_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"amend/engine/digest"
	"amend/engine/digest/digesttest"
	"amend/engine/enginetest/golden"
)

func model() digest.Model {
	return digest.Model{SHA256: "a model", AdapterSHA256: "an adapter", AdapterScale: 0.001, Chat: "template", TemplateSHA256: "a template", KeyType: "q8_0", Deterministic: true}
}

// TestModel changes each field of a model's identity: the names that its key tag lists change, and no other.
func TestModel(t *testing.T) {
	m := model()
	was := m
	digesttest.Fields(t, &m, func(path string, keys []string) {
		for key, changed := range map[string]bool{"turn": m.Environment() != was.Environment(), "states": m.States() != was.States()} {
			if changed != slices.Contains(keys, key) {
				t.Errorf("changing %s, tagged %v: %s changed %v", path, keys, key, changed)
			}
		}
	})
	if m != was {
		t.Errorf("left changed: %v", m)
	}
}

// TestModelNames pins the names of models that keys are made of.
func TestModelNames(t *testing.T) {
	m, bare := model(), model()
	bare.AdapterSHA256 = ""
	golden.Check(t, "models", []string{
		m.Weights(), m.Environment(), m.States(), bare.Weights(), bare.Environment(), bare.States(), digest.Model{}.Environment(), digest.Model{}.States(),
	})
}

// TestServerEnvironment pins what keys of turns have in the place of a model, where a server wrote.
func TestServerEnvironment(t *testing.T) {
	if got := digest.ServerEnvironment("big"); got != "server's model big" {
		t.Error(got)
	}
}

func TestPairSource(t *testing.T) {
	for text, want := range map[string]digest.PairSource{
		"":                                    {},
		"pairs 0123":                          {Pairs: "0123"},
		"run 4567, samples":                   {Run: "4567", Samples: true},
		"run 4567, samples against the first": {Run: "4567", Samples: true, AgainstFirst: true},
		"run 4567, rounds 0 and 12":           {Run: "4567", To: 12},
		"run 4567, rounds 2 and 1":            {Run: "4567", From: 2, To: 1},
		"run 4567, rounds 0 and 1, by length": {Run: "4567", To: 1, Rule: "by length"},
		"run 4567, samples, a, b":             {Run: "4567", Samples: true, Rule: "a, b"},
		"pairs 0123, by length":               {Pairs: "0123", Rule: "by length"},
	} {
		got, err := digest.ParsePairSource(text)
		if err != nil || got != want {
			t.Errorf("%q is read as %+v, %v", text, got, err)
		}
		if got := want.String(); got != text {
			t.Errorf("%+v is written %q, not %q", want, got, text)
		}
	}
	for _, text := range []string{"x", "pairs", "pairs ", "run a", "run a, ", "run a, rounds", "run a, by length", "pairs a, ", "run a, rounds 1", "run a, rounds 01 and 2", "run a, rounds 1 and 2 ", "run a, samples ", "run a, samplesagainst the first"} {
		if got, err := digest.ParsePairSource(text); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q is read as %+v, %v", text, got, err)
		}
	}
}

// TestEncoderKeepsValuesApart moves the border of two texts: the sum is another one.
func TestEncoderKeepsValuesApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, -1, -1).Draw(t, "text")
		a, b := rapid.IntRange(0, len(text)).Draw(t, "a"), rapid.IntRange(0, len(text)).Draw(t, "b")
		split := func(at int) digest.Sum {
			e := digest.New(digest.PromptDomain)
			e.Text(text[:at])
			e.Text(text[at:])
			return e.Sum()
		}
		if (split(a) == split(b)) != (a == b) {
			t.Fatalf("%q split at %d and %d", text, a, b)
		}
	})
}
