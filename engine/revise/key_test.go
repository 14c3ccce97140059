package revise

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"amend/engine"
	"amend/engine/chat"
	"amend/engine/digest/digesttest"
	"amend/engine/enginetest/golden"
	"amend/engine/sample"
)

// goldenSettings have a value of their own for everything that a turn's key may hold.
func goldenSettings() Settings {
	return Settings{
		Rounds: 2, Mode: Append, MaxTokens: 40, Seed: 3, System: "Be brief.", Think: chat.ThinkTags{Open: "<think>", Close: "</think>"},
		CritiqueGrammarName: "a grammar",
		Sampling: sample.Params{
			Temperature: 0.75, TopK: 40, TopP: 0.5, MinP: 0.125, RepetitionPenalty: 1.25, FrequencyPenalty: 0.25, PresencePenalty: -0.5, PenaltyWindow: 64,
			LogitBias: map[engine.Token]float64{9: 2.5, 3: math.Inf(-1)},
		},
	}
}

// keyOf is the key of a turn under these settings.
func keyOf(t *testing.T, s Settings, environment string, kind Kind, seed uint64) Key {
	t.Helper()
	l := newWorld(t, s, 2, false).loop
	l.Use(nil, environment)
	return l.key(kind, []engine.Token{5, 1, 26, 70000}, seed)
}

// TestGoldenKeys pins the keys of turns and the seeds of rows: a run of an older version is continued by them.
func TestGoldenKeys(t *testing.T) {
	lines := []string{
		fmt.Sprintf("row seed: %d", RowSeed(7, "a row")),
		fmt.Sprintf("row seed of a sample: %d", RowSeed(7, "a row~2")),
		fmt.Sprintf("seed of a row's preamble: %d", RowSeed(7, "preamble of a row")),
		fmt.Sprintf("turn seed: %d", TurnSeed(12345, 2, Critique)),
		fmt.Sprintf("turn seed of a second try: %d", TrySeed(TurnSeed(12345, 2, Critique), 1)),
		fmt.Sprintf("seed of further draws: %d", drawsSeed(12345, 2)),
	}
	for _, r := range Samples(inputs(1), 2) {
		lines = append(lines, "sample: "+r.ID)
	}
	probable := goldenSettings()
	probable.LogProbs = true
	for _, kind := range []Kind{Response, Critique, Revision} {
		lines = append(lines,
			fmt.Sprintf("%s: %x", kind, keyOf(t, goldenSettings(), "an environment", kind, 99)),
			fmt.Sprintf("%s with logprobs: %x", kind, keyOf(t, probable, "an environment", kind, 99)),
			fmt.Sprintf("%s by default: %x", kind, keyOf(t, Settings{}, "", kind, 0)))
	}
	golden.Check(t, "keys", lines)
}

// TestSettingsKeys changes each field: the key of a turn changes where the field's tag says so, and only there.
func TestSettingsKeys(t *testing.T) {
	l := newWorld(t, goldenSettings(), 2, false).loop
	key := func() [2]Key { // a critique's and a revision's
		return [2]Key{l.key(Critique, []engine.Token{5}, 99), l.key(Revision, []engine.Token{5}, 99)}
	}
	was := key()
	digesttest.Fields(t, &l.settings, func(path string, keys []string) {
		if changed := key() != was; changed != slices.Contains(keys, "turn") {
			t.Errorf("changing %s, tagged %v: changed %v", path, keys, changed)
		}
	})
	response := l.key(Response, []engine.Token{5}, 99)
	l.settings.CritiqueGrammarName = "another"
	if l.key(Response, []engine.Token{5}, 99) != response {
		t.Error("the key of a response holds the grammar of critiques")
	}
}
