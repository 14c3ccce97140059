package sample

import (
	"encoding/json"
	"maps"
	"math"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"amend/engine/digest"
)

// sumOf is what a sampling adds to a key.
func sumOf(s Params) digest.Sum {
	e := digest.New(digest.TurnDomain)
	s.Encode(&e)
	return e.Sum()
}

// TestLogitBiasText writes settings as JSON and as YAML and reads them back: the biases, −Inf too, and their digest are the same.
func TestLogitBiasText(t *testing.T) {
	formats := map[string]struct {
		marshal   func(any) ([]byte, error)
		unmarshal func([]byte, any) error
	}{"JSON": {json.Marshal, json.Unmarshal}, "YAML": {yaml.Marshal, yaml.Unmarshal}}
	rapid.Check(t, func(t *rapid.T) {
		bias := rapid.OneOf(rapid.Just(math.Inf(-1)), rapid.Float64Range(-1000, 1000), rapid.Map(rapid.IntRange(-9, 9), func(n int) float64 { return float64(n) }))
		s := Params{Temperature: 0.5, LogitBias: rapid.MapOf(rapid.Int32Range(0, math.MaxInt32), bias).Draw(t, "biases")}
		for name, f := range formats {
			text, err := f.marshal(s)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var back Params
			if err := f.unmarshal(text, &back); err != nil {
				t.Fatalf("%s: %s: %v", name, text, err)
			}
			if !maps.Equal(back.LogitBias, s.LogitBias) || sumOf(back) != sumOf(s) {
				t.Fatalf("%s: %s is read as %v", name, text, back)
			}
		}
	})
	for name, f := range formats {
		text, err := f.marshal(Params{})
		if err != nil {
			t.Fatal(err)
		}
		var back Params
		if err := f.unmarshal(text, &back); err != nil || back.LogitBias != nil {
			t.Errorf("%s: %s is read as %v, %v", name, text, back, err)
		}
		if text, err := f.marshal(LogitBias{3: math.NaN()}); err == nil {
			t.Errorf("%s: NaN is written as %s", name, text)
		}
		for wrong, want := range map[string]string{
			`{"3":"inf"}`:          "bias of token 3: ",
			`{"3":"NaN"}`:          "bias of token 3: ",
			`{"3":true}`:           "bias of token 3: true: must be a number",
			`{"x":1}`:              "logit bias: x: must be the id of a token",
			`{"198.9":1}`:          "logit bias: 198.9: must be the id of a token",
			`{"2147483648":1}`:     "logit bias: 2147483648: must be the id of a token",
			`{"3":1,"03":2}`:       "logit bias: token 3 is there twice",
			`["not", "an object"]`: "logit bias",
		} {
			var b LogitBias
			if err := f.unmarshal([]byte(wrong), &b); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %s is read as %v, %v; want %q", name, wrong, b, err, want)
			}
		}
	}
	for wrong, want := range map[string]string{
		"198.9: 1":  "198.9: must be the id of a token",
		"3: .inf":   "must be a number",
		"3: .nan":   "must be a number",
		"3: [1, 2]": "logit bias",
	} {
		var b LogitBias
		if err := yaml.Unmarshal([]byte(wrong), &b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is read as %v, %v; want %q", wrong, b, err, want)
		}
	}
	var b LogitBias
	if err := yaml.Unmarshal([]byte("3: -.inf"), &b); err != nil || !math.IsInf(b[3], -1) {
		t.Errorf("-.inf is read as %v, %v", b, err)
	}
}
