package bench

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/workload"
)

// Config says which model is measured, how it computes, and against what. All workloads have it.
type Config struct {
	Model    string   `yaml:"model"`    // path of a GGUF file, or a name that models.Caches knows
	Variants []string `yaml:"variants"` // amend's ways that are measured
	Repeat   int      `yaml:"repeat"`   // runs of each variant, in turns; the median counts
	Peer     Peer     `yaml:",inline"`

	Parallel       int           `yaml:"parallel"`        // rows alive at once; 0: as amend run chooses
	KV             runner.Layout `yaml:"kv"`              // Auto is Streams here
	KVType         string        `yaml:"kv-type"`         // of cached keys (runner.KVTypes)
	FlashAttention string        `yaml:"flash-attention"` // FlashAuto, FlashOn or FlashOff
	Threads        int           `yaml:"threads"`         // 0: one for each core
	GPULayers      int           `yaml:"gpu-layers"`      // −1: all
}

// Peer is a llama-server that is measured in place of amend.
type Peer struct {
	URL   string `yaml:"peer-url"`   // empty: amend is measured
	Name  string `yaml:"peer-name"`  // in the report
	Slots int    `yaml:"peer-slots"` // requests that it gets at once
}

// The values of Config.FlashAttention.
const (
	FlashAuto = "auto" // as amend run chooses
	FlashOn   = "on"
	FlashOff  = "off"
)

// defaults measure variants once, computing as amend run does.
func defaults(variants []string) Config {
	return Config{
		Variants: variants, Repeat: 1, Peer: Peer{Name: "llama-server", Slots: 4},
		KV: runner.Auto, KVType: runner.KVAuto, FlashAttention: FlashAuto, GPULayers: -1,
	}
}

// validate checks what the settings alone can tell. known are the workload's variants.
func (c Config) validate(known []string) error {
	var errs []error
	if c.Model == "" {
		errs = append(errs, failure.Missing("model", ""))
	}
	for _, name := range c.Variants {
		if !slices.Contains(known, name) {
			errs = append(errs, &failure.FieldError{Field: "variants", Value: strconv.Quote(name), Want: "must be among " + strings.Join(known, ", ")})
		}
	}
	if len(c.Variants) == 0 {
		errs = append(errs, &failure.FieldError{Field: "variants", Want: "names none: give some of " + strings.Join(known, ", ")})
	}
	return errors.Join(append(errs,
		failure.Range("repeat", c.Repeat, 1, 1000),
		failure.Range("peer-slots", c.Peer.Slots, 1, 1024),
		failure.Range("parallel", c.Parallel, 0, runner.MostTokens),
		failure.OneOf("kv", c.KV, runner.Layouts()...),
		failure.OneOf("kv-type", c.KVType, runner.KVTypes()...),
		failure.OneOf("flash-attention", c.FlashAttention, FlashAuto, FlashOn, FlashOff),
		failure.Range("threads", c.Threads, 0, runner.MostThreads),
		failure.Range("gpu-layers", c.GPULayers, -1, runner.MostTokens),
	)...)
}

// WorkloadConfig is a workload of fixed lengths over random token ids.
type WorkloadConfig struct {
	Config   `yaml:",inline"`
	Workload string           `yaml:"-"`     // loop, fanout or feedback
	Order    string           `yaml:"order"` // empty: the workload's own
	Lengths  workload.Lengths `yaml:",inline"`
	Seed     uint64           `yaml:"seed"`
	// Floor also measures what plain llama_decode could reach, in turns with amend.
	Floor bool `yaml:"floor"`
	// PeerCache lets the peer cache prompts.
	PeerCache bool `yaml:"peer-cache"`
}

// WorkloadVariants are amend's ways of doing a workload of fixed lengths.
func WorkloadVariants() []string { return []string{Amend, PrefixCopied, PrefixCache, NoReuse} }

// DefaultWorkload has everything but a model, a workload and its lengths.
func DefaultWorkload() WorkloadConfig {
	return WorkloadConfig{Config: defaults(WorkloadVariants()), Seed: 1, Floor: true, PeerCache: true}
}

// WorkloadNames are the workloads of fixed lengths.
func WorkloadNames() []string { return []string{"loop", "fanout", "feedback"} }

// Lengths are the own lengths of the workload that has this name.
func Lengths(name string) (workload.Lengths, error) {
	specs, _, err := workload.Specs()
	if err != nil {
		return workload.Lengths{}, err
	}
	spec, ok := specs[name]
	if !ok {
		return workload.Lengths{}, failure.Inputf("there is no workload %q: give %s or %s", name, strings.Join(WorkloadNames(), ", "), TextWorkload)
	}
	return spec.Lengths, nil
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError.
func (c WorkloadConfig) Validate() error {
	return errors.Join(c.Config.validate(WorkloadVariants()), c.Lengths.Validate())
}

// TextConfig is rounds of critique and revision on real prompts.
type TextConfig struct {
	Config      `yaml:",inline"`
	Prompts     string  `yaml:"prompts"` // path, as for amend run
	Limit       int     `yaml:"limit"`   // take only the first rows; 0: all
	Revisions   int     `yaml:"revisions"`
	MaxTokens   int     `yaml:"max-tokens"` // of a turn
	Temperature float64 `yaml:"temperature"`
	Seed        uint64  `yaml:"seed"`
}

// DefaultText is two rounds of short turns, by the likeliest tokens: texts then do not depend on random streams, which each
// engine has of its own.
func DefaultText() TextConfig {
	return TextConfig{Config: defaults(TextVariants()), Revisions: 2, MaxTokens: 128, Seed: 1}
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError.
func (c TextConfig) Validate() error {
	errs := []error{c.Config.validate(TextVariants())}
	if c.Prompts == "" {
		errs = append(errs, failure.Missing("prompts", ""))
	}
	return errors.Join(append(errs,
		failure.Range("limit", c.Limit, 0, 1<<40),
		failure.Range("revisions", c.Revisions, 1, 100),
		failure.Range("max-tokens", c.MaxTokens, 1, runner.MostTokens),
		failure.Range("temperature", c.Temperature, 0, 100),
	)...)
}

// SpeculationConfig is revisions of fixed length that copy a known share of their draft.
type SpeculationConfig struct {
	Config   `yaml:",inline"`
	Rows     []int  `yaml:"row-counts"` // at once
	Copied   []int  `yaml:"copied"`     // percent of the draft that the revision copies
	Preamble int    `yaml:"preamble"`   // tokens that all rows share
	Draft    int    `yaml:"draft"`      // tokens of the draft and of the revision
	Seed     uint64 `yaml:"seed"`
}

// SpeculationVariants are the ways to hold the preamble that are measured.
func SpeculationVariants() []string { return []string{Amend, PrefixCopied} }

// DefaultSpeculation is amend's own way of holding the preamble, at several numbers of rows and shares.
func DefaultSpeculation() SpeculationConfig {
	return SpeculationConfig{
		Config: defaults([]string{Amend}), Rows: []int{1, 4, 16}, Copied: []int{0, 50, 80, 95, 100},
		Preamble: 1024, Draft: 96, Seed: 1,
	}
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError.
func (c SpeculationConfig) Validate() error {
	errs := []error{
		c.Config.validate(SpeculationVariants()),
		failure.Range("preamble", c.Preamble, 1, 1<<20),
		failure.Range("draft", c.Draft, 8, 1<<16),
	}
	for _, n := range c.Rows {
		errs = append(errs, failure.Range("row-counts", n, 1, 255))
	}
	for _, percent := range c.Copied {
		errs = append(errs, failure.Range("copied", percent, 0, 100))
	}
	return errors.Join(errs...)
}
