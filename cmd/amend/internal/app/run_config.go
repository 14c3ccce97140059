package app

import (
	"errors"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/revise"
	"amend/models/testbed"
)

// RunConfig are the settings of a run. Their yaml keys are their names everywhere: in config files, as flags, in errors.
type RunConfig struct {
	Model      string `yaml:"model"`       // path or name
	LoRA       string `yaml:"lora"`        // adapter of first responses: PATH or PATH=SCALE
	Critic     string `yaml:"critic"`      // model of all other turns; empty: Model
	CriticLoRA string `yaml:"critic-lora"` // adapter of all other turns

	Constitution      []string `yaml:"constitution"` // names or paths, later ones on top; empty: the model's default
	Principles        []string `yaml:"principles"`   // ids and tags that draws are narrowed to
	Demonstrations    bool     `yaml:"demonstrations"`
	DemonstrationSets int      `yaml:"demonstration-sets"` // preambles, each with a part of the demonstrations

	Prompts       string `yaml:"prompts"` // path; "-" is Env.Stdin
	FromResponses bool   `yaml:"from-responses"`
	Limit         int    `yaml:"limit"`   // rows to take; 0: all
	Samples       int    `yaml:"samples"` // rows of each prompt
	System        string `yaml:"system"`
	Out           string `yaml:"out,omitempty"` // the run directory

	Revisions       int             `yaml:"revisions"` // rounds; 0: first responses only
	Critique        bool            `yaml:"critique"`
	Mode            revise.Mode     `yaml:"mode"`
	MaxTokens       int             `yaml:"max-tokens"` // of a turn
	Sampling        engine.Sampling `yaml:",inline"`
	CritiqueGrammar string          `yaml:"critique-grammar"` // path of a GBNF file
	LogProbs        bool            `yaml:"logprobs"`
	Seed            uint64          `yaml:"seed"`
	Gate            GateConfig      `yaml:",inline"`

	Speculate bool                 `yaml:"speculate"`
	Compute   runner.ComputeConfig `yaml:",inline"`
	Context   runner.ContextConfig `yaml:",inline"`

	// Redo takes other settings than the run was begun with, RetryFailed does rows again that failed. They are of one
	// command and not of the run.
	Redo        bool `yaml:"-"`
	RetryFailed bool `yaml:"-"`
}

// GateConfig says which revisions a run takes (revise.Gate).
type GateConfig struct {
	On      bool    `yaml:"gate"`
	Tries   int     `yaml:"gate-tries"`
	Margin  float64 `yaml:"gate-margin"`
	Veto    float64 `yaml:"gate-veto"`
	MinMass float64 `yaml:"gate-min-mass"`
}

// The defaults of settings that several use cases have.
const (
	DefaultModel     = testbed.Name // needs no download
	DefaultMaxTokens = 256
	DefaultMinMass   = 0.1 // the least probability of a judgement's two answers together
	defaultLayer     = "hhh"
)

// DefaultRunConfig are the settings of a run that says nothing else.
func DefaultRunConfig() RunConfig {
	return RunConfig{
		Model: DefaultModel, Demonstrations: true, DemonstrationSets: 1, Samples: 1,
		Revisions: 2, Critique: true, Mode: revise.Faithful, MaxTokens: DefaultMaxTokens,
		Sampling:  engine.Sampling{Temperature: 1, TopP: 1, RepetitionPenalty: 1},
		Gate:      GateConfig{Tries: 2, MinMass: DefaultMinMass},
		Speculate: true, Compute: runner.DefaultCompute(), Context: runner.DefaultContext(),
	}
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError, joined.
func (c RunConfig) Validate() error {
	var errs []error
	for _, need := range []struct{ field, value string }{{"model", c.Model}, {"prompts", c.Prompts}, {"out", c.Out}} {
		if need.value == "" {
			errs = append(errs, failure.Missing(need.field, ""))
		}
	}
	errs = append(errs,
		failure.OneOf("mode", c.Mode, revise.Modes()...),
		failure.Range("limit", c.Limit, 0, 1<<40),
		failure.Range("demonstration-sets", c.DemonstrationSets, 1, 1000),
		failure.Range("samples", c.Samples, 1, 1000),
		failure.Range("revisions", c.Revisions, 0, 100),
		failure.Range("max-tokens", c.MaxTokens, 1, runner.MostTokens),
		c.Compute.Validate(), c.Context.Validate(),
		c.validateCritic(),
		runner.ValidateAdapter("lora", c.LoRA), runner.ValidateAdapter("critic-lora", c.CriticLoRA),
		validateSampling(c.Sampling), c.Gate.validate(),
	)
	return errors.Join(errs...)
}

func (c RunConfig) validateCritic() error {
	for _, f := range []struct{ field, value string }{{"critic", c.Critic}, {"critic-lora", c.CriticLoRA}} {
		if f.value != "" && c.Revisions == 0 {
			return &failure.FieldError{Field: f.field, Value: f.value, Want: "is of the turns after first responses, and with revisions 0 there are none"}
		}
	}
	return nil
}

func (c GateConfig) validate() error {
	return errors.Join(
		failure.Range("gate-tries", c.Tries, 0, 100),
		failure.Range("gate-margin", c.Margin, 0, 0.5),
		failure.Range("gate-veto", c.Veto, 0, 0.5),
		failure.Range("gate-min-mass", c.MinMass, 0, 1),
	)
}

// layers are the constitutions to compose: those given, or the model's default.
func (c RunConfig) layers() []string {
	if len(c.Constitution) > 0 {
		return c.Constitution
	}
	return []string{DefaultConstitution(c.Model)}
}

// DefaultConstitution is the one for a model where none is given.
func DefaultConstitution(model string) string {
	if model == testbed.Name {
		return testbed.Name
	}
	return defaultLayer
}

// staged reports whether first responses and the turns after them are computed by different models or adapters.
func (c RunConfig) staged() bool {
	return c.Revisions > 0 && (c.LoRA != "" || c.Critic != "" || c.CriticLoRA != "")
}

// validateSampling checks how tokens are drawn.
func validateSampling(s engine.Sampling) error {
	var param *engine.ParamError
	err := s.Validate()
	if errors.As(err, &param) {
		return &failure.FieldError{Field: param.Param, Value: param.Value, Want: param.Want}
	}
	return err
}
