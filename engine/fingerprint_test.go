package engine_test

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"amend/engine"
	"amend/engine/digest/digesttest"
)

func someFingerprint() engine.Fingerprint {
	return engine.Fingerprint{
		Library: "1", Devices: []string{"CPU", "GPU"}, Model: "m", GPULayers: 2,
		TypeK: "f16", TypeV: "f16", FlashAttention: "off", Streams: 3, Threads: 2, BatchThreads: 2, Batch: 8, MicroBatch: 8,
	}
}

// TestEveryFieldAndTokenChangesTheKey: also the order of a list, and each
// token, its place and the number of them.
func TestEveryFieldAndTokenChangesTheKey(t *testing.T) {
	tokens := []engine.Token{5, 0, 7}
	keys := map[string]string{someFingerprint().Key(tokens): "nothing"}
	add := func(what string, key string) {
		if before, ok := keys[key]; ok {
			t.Errorf("changing %s gives the key of changing %s", what, before)
		}
		keys[key] = what
	}
	f := someFingerprint()
	digesttest.Each(t, &f, func(path string) { add(path, f.Key(tokens)) })
	f = someFingerprint()
	slices.Reverse(f.Devices)
	add("the order of devices", f.Key(tokens))
	f = someFingerprint()
	f.Devices = []string{"CPUG", "PU"}
	add("where a text ends", f.Key(tokens))
	for _, other := range [][]engine.Token{{}, {5, 0}, {5, 0, 7, 0}, {0, 5, 7}, {5, 1, 7}, {5, 0, -7}} {
		add("the tokens", someFingerprint().Key(other))
	}
}

// TestKeysAreEqualWhenInputsAre, and only then.
func TestKeysAreEqualWhenInputsAre(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 2, -1)
	print := rapid.Custom(func(t *rapid.T) engine.Fingerprint {
		return engine.Fingerprint{
			Library: text.Draw(t, "library"), Devices: rapid.SliceOfN(text, 1, 3).Draw(t, "devices"), Model: text.Draw(t, "model"),
			TypeK: text.Draw(t, "k"), TypeV: text.Draw(t, "v"), Streams: rapid.IntRange(1, 2).Draw(t, "streams"),
		}
	})
	tokens := rapid.SliceOfN(rapid.Int32Range(0, 2), 1, 3)
	rapid.Check(t, func(t *rapid.T) {
		f, g := print.Draw(t, "f"), print.Draw(t, "g")
		a, b := tokens.Draw(t, "a"), tokens.Draw(t, "b")
		if same := reflect.DeepEqual(f, g) && slices.Equal(a, b); (f.Key(a) == g.Key(b)) != same {
			t.Errorf("keys %s and %s of inputs that are equal: %v", f.Key(a), g.Key(b), same)
		}
	})
}
