package engine_test

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"amend/engine"
)

// change is one thing that can be changed in a value of any depth.
type change struct {
	name  string
	apply func(root reflect.Value)
}

// changesOf lists a change of every field of a fingerprint, nested ones too,
// and of the length of every list. A kind it does not know fails the test, so
// a new field cannot be forgotten.
func changesOf(t *testing.T, name string, typ reflect.Type, at func(reflect.Value) reflect.Value) []change {
	t.Helper()
	one := func(apply func(v reflect.Value)) []change {
		return []change{{name, func(root reflect.Value) { apply(at(root)) }}}
	}
	switch typ.Kind() {
	case reflect.String:
		return one(func(v reflect.Value) { v.SetString(v.String() + "x") })
	case reflect.Int:
		return one(func(v reflect.Value) { v.SetInt(v.Int() + 1) })
	case reflect.Bool:
		return one(func(v reflect.Value) { v.SetBool(!v.Bool()) })
	case reflect.Float32:
		return one(func(v reflect.Value) { v.SetFloat(v.Float() + 0.25) })
	case reflect.Slice:
		all := one(func(v reflect.Value) { v.Set(reflect.Append(v, reflect.Zero(typ.Elem()))) })
		all[0].name += " longer"
		return append(all, changesOf(t, name+"[1]", typ.Elem(), func(root reflect.Value) reflect.Value { return at(root).Index(1) })...)
	case reflect.Struct:
		var all []change
		for i := range typ.NumField() {
			f := typ.Field(i)
			all = append(all, changesOf(t, name+"."+f.Name, f.Type, func(root reflect.Value) reflect.Value { return at(root).Field(i) })...)
		}
		return all
	}
	t.Fatalf("%s is of a kind that this test cannot change: %v", name, typ)
	return nil
}

func someFingerprint() engine.Fingerprint {
	return engine.Fingerprint{
		Library: "1", Devices: []string{"CPU", "GPU"}, Model: "m", GPULayers: 2,
		Adapters: []engine.AdapterScale{{SHA256: "a", Scale: 1}, {SHA256: "b", Scale: 0.5}},
		TypeK:    "f16", TypeV: "f16", FlashAttention: "off", Streams: 3, Threads: 2, BatchThreads: 2, Batch: 8, MicroBatch: 8,
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
	for _, c := range changesOf(t, "Fingerprint", reflect.TypeFor[engine.Fingerprint](), func(v reflect.Value) reflect.Value { return v }) {
		f := someFingerprint()
		c.apply(reflect.ValueOf(&f).Elem())
		add(c.name, f.Key(tokens))
	}
	f := someFingerprint()
	slices.Reverse(f.Adapters)
	add("the order of adapters", f.Key(tokens))
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
