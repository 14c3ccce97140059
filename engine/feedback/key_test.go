package feedback

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/digest"
	"amend/engine/digest/digesttest"
	"amend/engine/enginetest/golden"
	"amend/engine/sample"
)

// goldenSettings have a value of their own for everything that a judgement's key may hold.
func goldenSettings() Settings {
	return Settings{
		Layout: OptionsFirst, Principles: 2, Seed: 3, MinMass: 0.25, Reasonings: 2, Clamp: [2]float64{0.25, 0.75}, MaxTokens: 30,
		Sampling: sample.Params{Temperature: 0.75, TopK: 40, TopP: 0.5, MinP: 0.125, LogitBias: map[engine.Token]float64{9: 2.5, 3: math.Inf(-1)}},
	}
}

// keyOf is the key of a judgement under these settings.
func keyOf(t *testing.T, s Settings, environment string, seed uint64) Key {
	t.Helper()
	j := newFakeJudge(t, testDocument, s, 2).judge
	j.Use(nil, environment)
	return j.key([]engine.Token{5, 1, 70000}, [][]engine.Token{{1, 2}, {3}}, seed)
}

// TestGoldenKeys pins the keys of judgements and verdicts, the seeds of pairs, and the names of pairs and prompts: labels of an
// older version are continued by them.
func TestGoldenKeys(t *testing.T) {
	conversation := []chat.Message{{Role: chat.System, Text: "Be brief."}, {Role: chat.User, Text: "Why?"}}
	in := Pair{ID: "a pair", Messages: conversation, First: "one", Second: "two", Attributes: constitution.Attributes{Jurisdiction: "FR", Language: "fr", Tags: []string{"law", "work"}}}
	bare := goldenSettings()
	bare.Reasonings = 0
	lines := []string{
		fmt.Sprintf("pair seed: %d", digest.PairSeed(7, "a pair")),
		fmt.Sprintf("reasoning seed: %d", digest.ReasoningSeed(12345, "kind", false, 1)),
		fmt.Sprintf("reasoning seed, swapped: %d", digest.ReasoningSeed(12345, "kind", true, 1)),
		"prompt: " + PromptHash(conversation),
		"no prompt: " + PromptHash(nil),
		"pair: " + in.Hash(),
		"pair anywhere: " + Pair{Messages: conversation, First: "one", Second: "two"}.Hash(),
		fmt.Sprintf("judgement: %x", keyOf(t, bare, "an environment", 0)),
		fmt.Sprintf("reasoned judgement: %x", keyOf(t, goldenSettings(), "an environment", 99)),
	}
	golden.Check(t, "keys", append(lines, goldenVerdict(t)))
}

// goldenVerdict is the key that a gate's judge looks a verdict up by.
func goldenVerdict(t *testing.T) string {
	c := newFakeJudge(t, testDocument, Settings{Layout: OptionsFirst}, 2)
	var seen keySpy
	c.judge.Use(&seen, "an environment")
	asked, err := c.f.Open(t.Context(), []chat.Message{{Role: chat.User, Text: VerdictRequest("Be kind.")}})
	if err != nil {
		t.Fatal(err)
	}
	c.judge.Start(t.Context(), nil, func() bool { return false }, func(err error) { t.Error(err) }).
		Verdict(asked, InAWord, func(Verdict, error) {})
	return fmt.Sprintf("verdict: %x", seen.key)
}

// keySpy is a memory without answers that keeps the last key it was asked for.
type keySpy struct{ key Key }

func (s *keySpy) Get(k Key) (Answer, bool, error) { s.key = k; return Answer{}, false, nil }
func (s *keySpy) Put(Key, Answer) error           { return nil }

// TestSettingsKeys changes each field: the key of a judgement changes where the field's tag says so, and only there. Without
// reasonings nothing is sampled, and no field counts.
func TestSettingsKeys(t *testing.T) {
	j := newFakeJudge(t, testDocument, goldenSettings(), 2).judge
	key := func() Key { return j.key([]engine.Token{5}, [][]engine.Token{{1}, {2}}, 99) }
	reasoned := key()
	digesttest.Fields(t, &j.settings, func(path string, keys []string) {
		if changed := key() != reasoned; changed != slices.Contains(keys, "turn") {
			t.Errorf("changing %s, tagged %v: changed %v", path, keys, changed)
		}
	})
	j.settings.Reasonings = 0
	bare := key()
	if bare == reasoned {
		t.Error("a judgement with reasonings has the key of one without")
	}
	digesttest.Fields(t, &j.settings, func(path string, _ []string) {
		if changed := key() != bare; changed != (path == "Reasonings") {
			t.Errorf("without reasonings, changing %s: changed %v", path, changed)
		}
	})
}
