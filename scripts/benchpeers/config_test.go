package main

import (
	"slices"
	"strings"
	"testing"
)

// TestConfigurations: each has a name of its own, by which it is found again,
// and llama.cpp takes it: values are quantized with flash attention only.
func TestConfigurations(t *testing.T) {
	names := map[string]bool{}
	for _, c := range all(true) {
		names[c.name()] = true
		for _, name := range []string{c.name(), strings.TrimPrefix(c.name(), "llama-server ")} {
			if got, err := parseConfig(name); err != nil || got != c {
				t.Errorf("%q reads as %+v, %v", name, got, err)
			}
		}
		if c.kv.v != "f16" && !c.flash {
			t.Errorf("%s has quantized values without flash attention", c.name())
		}
	}
	if want := 2 * 4 * 2 * 5; len(names) != want {
		t.Errorf("%d names, not %d", len(names), want)
	}
	if !names["llama-server np=4 streams fa=off kv=f16"] {
		t.Errorf("the name that others rely on is not among %v", names)
	}
}

// TestArguments: a slot has its context in either layout, so the whole is that
// times the slots.
func TestArguments(t *testing.T) {
	c := config{slots: 4, unified: true, flash: true, kv: kvType{"q8_0", "f16"}}
	if got, want := strings.Join(c.args(1792), " "), "--parallel 4 --ctx-size 7168 --kv-unified --flash-attn on --cache-type-k q8_0 --cache-type-v f16"; got != want {
		t.Errorf("%s: %s, not %s", c.name(), got, want)
	}
	c.guess = true
	if got := strings.Join(c.args(1792), " "); !strings.Contains(got, " --spec-type ngram-mod ") {
		t.Errorf("%s: %s guesses nothing", c.name(), got)
	}
	c = config{slots: 1, kv: kvType{"f16", "f16"}}
	if got, want := strings.Join(c.args(256), " "), "--parallel 1 --ctx-size 256 --no-kv-unified --flash-attn off --cache-type-k f16 --cache-type-v f16"; got != want {
		t.Errorf("%s: %s, not %s", c.name(), got, want)
	}
}

func TestStages(t *testing.T) {
	first := firstStage()
	if len(first) != 8 {
		t.Fatalf("%d configurations in the first stage: %v", len(first), first)
	}
	var results []swept
	for i, c := range first {
		results = append(results, swept{config: c, estimate: float64(10 - i), stopped: i == 7})
	}
	second := secondStage(results, false)
	if len(second) != 8 {
		t.Fatalf("%d configurations in the second stage: %v", len(second), second)
	}
	for _, c := range second {
		if slices.Contains(first, c) {
			t.Errorf("%s is measured twice", c.name())
		}
		if same := func(o config) bool { return o.slots == c.slots && o.unified == c.unified }; !same(first[6]) && !same(first[5]) {
			t.Errorf("%s is not of the best two that were not stopped", c.name())
		}
	}
	if n := len(usable(all(false), 4)); n != 20 {
		t.Errorf("%d configurations for 4 rows", n)
	}
}

// TestLongest: by hand, from the definitions of the workloads.
func TestLongest(t *testing.T) {
	l := lengths{
		"preamble": 1000, "prompt": 100, "response": 10, "rounds": 2, "critique_request": 1, "critique": 2,
		"revision_request": 3, "revision": 20, "option": 50, "principle": 7,
	}
	for _, c := range []struct {
		name, order string
		want        int
	}{
		{"loop", "", 1100 + 10 + 2*26},
		{"loop", "append", 1100 + 10 + 2*26},
		{"loop", "faithful", 1100 + 20 + 26},
		{"fanout", "", 1100 + 20 + 26},
		{"feedback", "", 1100 + 2*50 + 7 + 1},
	} {
		if got := longest(c.name, c.order, l); got != c.want {
			t.Errorf("%s %s: %d, not %d", c.name, c.order, got, c.want)
		}
	}
	s, err := readSize("../../cmd/amend/internal/workload/workloads.json", "loop", "", lengths{"rows": 3})
	if err != nil {
		t.Fatal(err)
	}
	if want := (size{rows: 3, preamble: 1024, longest: 1024 + 64 + 96 + 2*224}); s != want {
		t.Errorf("%+v, not %+v", s, want)
	}
	if n := slotContext(1632); n != 1792 {
		t.Errorf("a slot for 1632 tokens has %d", n)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 100}, 3}} {
		if got := median(c.in); got != c.want {
			t.Errorf("median of %v is %v, not %v", c.in, got, c.want)
		}
	}
}

// TestTurns: ratios are of the same turn, so a machine that slows down between
// turns changes none.
func TestTurns(t *testing.T) {
	turn := func(slow float64, peers ...float64) []variant {
		out := []variant{{Name: ours, Rows: 2, WallS: 10 * slow, WallSPerRow: 5 * slow}}
		for i, p := range peers {
			out = append(out, variant{Name: string(rune('a' + i)), Rows: 2, WallS: p * slow, WallSPerRow: p / 2 * slow})
		}
		return out
	}
	r := newReport(&amendReport{}, [][]variant{turn(1, 20, 30), turn(3, 20, 40), turn(2, 20, 20, 50)})
	if r.Ratios["a"] != 2 || r.RatioRanges["a"] != [2]float64{2, 2} {
		t.Errorf("a: %v in %v", r.Ratios["a"], r.RatioRanges["a"])
	}
	if r.Ratios["b"] != 3 || r.RatioRanges["b"] != [2]float64{2, 4} {
		t.Errorf("b: %v in %v", r.Ratios["b"], r.RatioRanges["b"])
	}
	if r.Ratios["c"] != 5 {
		t.Errorf("c, which ran once: %v", r.Ratios["c"])
	}
	if a := r.Variants[0]; a.Name != ours || a.WallS != 20 || a.MinS != 10 || a.MaxS != 30 || a.Runs != 3 || a.WallSPerRow != 10 {
		t.Errorf("amend: %+v", a)
	}
	if _, ok := r.Ratios[ours]; ok || len(r.Variants) != 4 {
		t.Errorf("ratios %v of %d variants", r.Ratios, len(r.Variants))
	}
}
