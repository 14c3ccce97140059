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
	return fmt.Sprintf("llama-server np=%d %s fa=%s kv=%s", c.slots, layout, flash, c.kv)
}

// parseConfig reads a name back.
func parseConfig(name string) (config, error) {
	for _, c := range all() {
		if c.name() == name || c.name() == "llama-server "+name {
			return c, nil
		}
	}
	return config{}, fmt.Errorf("there is no configuration %q; one is %q", name, all()[0].name())
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
	return []string{
		"--parallel", strconv.Itoa(c.slots), "--ctx-size", strconv.Itoa(c.slots * context), layout,
		"--flash-attn", flash, "--cache-type-k", c.kv.k, "--cache-type-v", c.kv.v,
	}
}

// slotContext rounds the longest conversation up to what a slot is given:
// llama.cpp pads a stream to 256 cells, and the server wants some room to spare.
func slotContext(longest int) int { return (longest + 16 + 255) / 256 * 256 }

// attention is each pair of flash attention and KV types that llama.cpp takes.
// Values can be quantized with flash attention only.
func attention() []config {
	var out []config
	for _, t := range []kvType{{"f16", "f16"}, {"q8_0", "f16"}} {
		out = append(out, config{flash: false, kv: t}, config{flash: true, kv: t})
	}
	return append(out, config{flash: true, kv: kvType{"q8_0", "q8_0"}})
}

// all is the whole sweep.
func all() []config {
	var out []config
	for _, a := range attention() {
		for _, slots := range []int{1, 4, 8, 16} {
			for _, unified := range []bool{false, true} {
				a.slots, a.unified = slots, unified
				out = append(out, a)
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
	plain := attention()[0]
	return slices.DeleteFunc(all(), func(c config) bool { return c.flash != plain.flash || c.kv != plain.kv })
}

// secondStage varies flash attention and KV types for the best two of the first.
func secondStage(first []swept) []config {
	var out []config
	for _, c := range best(first, 2) {
		for _, a := range attention()[1:] {
			c.flash, c.kv = a.flash, a.kv
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
