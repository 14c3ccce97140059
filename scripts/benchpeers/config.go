package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// config is a way to start llama-server.
type config struct {
	slots   int
	unified bool // one KV buffer for all slots, or a stream each
	flash   bool
	kv      kvType
	guess   bool // it looks up what may come next, as amend does on text
}

// kvType is the types of cached keys and values.
type kvType struct{ k, v string }

// String is f16, or the keys' type and the values'.
func (t kvType) String() string {
	if t.k == "f16" && t.v == "f16" {
		return "f16"
	}
	return t.k + "/" + t.v
}

// defaultName is what the server as it starts by default is called.
const defaultName = "llama-server default"

// name is the configuration in the report.
func (c config) name() string {
	layout, flash := "streams", "off"
	if c.unified {
		layout = "unified"
	}
	if c.flash {
		flash = "on"
	}
	name := fmt.Sprintf("llama-server np=%d %s fa=%s kv=%s", c.slots, layout, flash, c.kv)
	if c.guess {
		name += " spec=ngram-mod"
	}
	return name
}

// parseConfig reads a name back.
func parseConfig(name string) (config, error) {
	for _, c := range all(true) {
		if c.name() == name || c.name() == "llama-server "+name {
			return c, nil
		}
	}
	return config{}, fmt.Errorf("there is no configuration %q; one is %q", name, all(false)[0].name())
}

// args are the server's arguments; context is the tokens that a slot must hold.
func (c config) args(context int) []string {
	layout, flash := "--no-kv-unified", "off"
	if c.unified {
		layout = "--kv-unified"
	}
	if c.flash {
		flash = "on"
	}
	args := []string{
		"--parallel", strconv.Itoa(c.slots), "--ctx-size", strconv.Itoa(c.slots * context), layout,
		"--flash-attn", flash, "--cache-type-k", c.kv.k, "--cache-type-v", c.kv.v,
	}
	if c.guess {
		args = append(args, guessArgs()...)
	}
	return args
}

// guessArgs let the server guess up to 15 tokens, the most that amend tries, by
// a match of 4 tokens. Its own 24 tokens and at least 48 guesses are meant for
// copies of whole files.
func guessArgs() []string {
	return []string{
		"--spec-type", "ngram-mod", "--spec-ngram-mod-n-match", "4",
		"--spec-ngram-mod-n-min", "1", "--spec-ngram-mod-n-max", "15",
	}
}

// slotContext rounds the longest conversation up to what a slot is given:
// llama.cpp pads a stream to 256 cells, and the server wants some room to spare.
func slotContext(longest int) int { return (longest + 16 + 255) / 256 * 256 }

// ways is each pair of flash attention and KV types that llama.cpp takes, and
// each of these with guesses where they are asked for. Values can be quantized
// with flash attention only.
func ways(guess bool) []config {
	var out []config
	for _, t := range []kvType{{"f16", "f16"}, {"q8_0", "f16"}} {
		out = append(out, config{flash: false, kv: t}, config{flash: true, kv: t})
	}
	out = append(out, config{flash: true, kv: kvType{"q8_0", "q8_0"}})
	if guess {
		for _, c := range slices.Clone(out) {
			c.guess = true
			out = append(out, c)
		}
	}
	return out
}

// all is the whole sweep.
func all(guess bool) []config {
	var out []config
	for _, c := range ways(guess) {
		for _, slots := range []int{1, 4, 8, 16} {
			for _, unified := range []bool{false, true} {
				c.slots, c.unified = slots, unified
				out = append(out, c)
			}
		}
	}
	return out
}

// usable leaves out what has more slots than there are rows.
func usable(cs []config, rows int) []config {
	return slices.DeleteFunc(cs, func(c config) bool { return c.slots > max(rows, 1) })
}

// firstStage varies slots and layout.
func firstStage() []config {
	plain := ways(false)[0]
	return slices.DeleteFunc(all(false), func(c config) bool { return c.flash != plain.flash || c.kv != plain.kv })
}

// secondStage varies the rest for the best two of the first.
func secondStage(first []swept, guess bool) []config {
	var out []config
	for _, c := range best(first, 2) {
		for _, w := range ways(guess)[1:] {
			c.flash, c.kv, c.guess = w.flash, w.kv, w.guess
			out = append(out, c)
		}
	}
	return out
}

// swept is a configuration measured in the sweep.
type swept struct {
	config
	estimate float64 // seconds that the whole workload would take
	rows     int     // that were run
	stopped  bool    // it took too long; the estimate is what it exceeded
	failed   bool    // it did not run
}

func (s swept) measured() bool { return !s.stopped && !s.failed }

// best are the n fastest configurations that were measured.
func best(results []swept, n int) []config {
	var sorted []swept
	for _, s := range results {
		if s.measured() {
			sorted = append(sorted, s)
		}
	}
	slices.SortStableFunc(sorted, func(a, b swept) int { return cmp.Compare(a.estimate, b.estimate) })
	var out []config
	for _, s := range sorted[:min(n, len(sorted))] {
		out = append(out, s.config)
	}
	return out
}
