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
		for _, wrong := range []string{`{"3":"inf"}`, `{"3":"NaN"}`, `{"3":true}`, `{"x":1}`} {
			var b LogitBias
			if err := f.unmarshal([]byte(wrong), &b); err == nil || !strings.Contains(err.Error(), "logit bias") {
				t.Errorf("%s: %s is read as %v, %v", name, wrong, b, err)
			}
		}
	}
	var b LogitBias
	if err := yaml.Unmarshal([]byte("3: -.inf"), &b); err != nil || !math.IsInf(b[3], -1) {
		t.Errorf("-.inf is read as %v, %v", b, err)
	}
}
