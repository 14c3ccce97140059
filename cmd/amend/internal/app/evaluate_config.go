package app

import (
	"errors"
	"path/filepath"
	"strings"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/evalset"
)

// EvaluateConfig are the settings of an evaluation of a model on a standard set.
type EvaluateConfig struct {
	Set   evalset.Set `yaml:"set"`
	File  string      `yaml:"file"` // of the set; "-" is Env.Stdin
	Model string      `yaml:"model"`
	LoRA  string      `yaml:"lora"`
	Out   string      `yaml:"out"`   // directory of the results; empty: DefaultOut
	Limit int         `yaml:"limit"` // how many items are taken; 0: all
	// MaxTokens is the limit of an answer, where the model answers.
	MaxTokens int `yaml:"max-tokens"`
	// Compute.Chat is empty for the set's own way: transcripts for HHH and TruthfulQA, as the field measures them, and the
	// model's template for the others.
	Compute runner.ComputeConfig `yaml:",inline"`
	Context runner.ContextConfig `yaml:",inline"`
}

// DefaultEvaluateConfig returns the default settings of an evaluation.
func DefaultEvaluateConfig() EvaluateConfig {
	c := EvaluateConfig{MaxTokens: 256, Compute: runner.DefaultCompute(), Context: runner.DefaultContext()}
	c.Compute.Chat = ""
	return c
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError, joined.
func (c EvaluateConfig) Validate() error {
	var errs []error
	if c.Model == "" {
		errs = append(errs, failure.Missing("model", "the model that is measured"))
	}
	return errors.Join(append(errs,
		failure.OneOf("set", c.Set, evalset.ModelSets()...),
		failure.Range("limit", c.Limit, 0, runner.MostTokens),
		failure.Range("max-tokens", c.MaxTokens, 1, runner.MostTokens),
		runner.ValidateAdapter("lora", c.LoRA),
		c.compute().Validate(),
		c.Context.Validate(),
	)...)
}

// compute is how the model computes, with the set's own way of writing conversations where none is given.
func (c EvaluateConfig) compute() runner.ComputeConfig {
	out := c.Compute
	if out.Chat != "" {
		return out
	}
	out.Chat = runner.ChatTemplate
	if (c.Set == evalset.HHH || c.Set == evalset.TruthfulQA) && out.Template == "" {
		out.Chat = runner.ChatPlain
	}
	return out
}

// dir is the directory of the results: evals/SET-MODEL, with the adapter's name, where none is given.
func (c EvaluateConfig) dir() string {
	if c.Out != "" {
		return c.Out
	}
	name := string(c.Set) + "-" + stem(c.Model)
	if a := runner.ParseAdapter(c.LoRA); a.Path != "" {
		name += "-" + stem(a.Path)
	}
	return filepath.Join("evals", name)
}

// stem is a file's name without its extension.
func stem(path string) string {
	name := filepath.Base(path)
	return strings.TrimSuffix(name, filepath.Ext(name))
}
