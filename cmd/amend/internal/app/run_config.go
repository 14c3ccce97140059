package app

import (
	"errors"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/prompts"
	"amend/engine/revise"
	"amend/engine/sample"
	"amend/models/testbed"
)

// RunConfig are the settings of a run. Their yaml keys are their names everywhere: in config files, as flags, in errors.
// Their key tags say what another value makes of a run that is there (package digest): run is another run, none the same.
// Files count by their content, not by their path.
type RunConfig struct {
	Model      string `yaml:"model" key:"run"`       // path or name; there is no default
	LoRA       string `yaml:"lora" key:"run"`        // adapter of first responses: PATH or PATH=SCALE
	Critic     string `yaml:"critic" key:"run"`      // model of all other turns; empty: Model
	CriticLoRA string `yaml:"critic-lora" key:"run"` // adapter of all other turns
	// CriticURL is where a server runs that writes critiques and revisions; empty: amend does. Wherever it runs, the same model
	// makes the same run. CriticURLModel names its model; empty: the only one.
	CriticURL      string `yaml:"critic-url" key:"none"`
	CriticURLModel string `yaml:"critic-url-model" key:"run"`

	Constitution      []string     `yaml:"constitution" key:"run"` // names or paths, later ones on top; empty: the model's default
	Principles        []string     `yaml:"principles" key:"run"`   // ids and tags that draws are narrowed to
	Demonstrations    revise.Shown `yaml:"demonstrations" key:"run"`
	DemonstrationSets int          `yaml:"demonstration-sets" key:"run"` // preambles, each with a part of the demonstrations

	Prompts       prompts.Paths `yaml:"prompts" key:"run"` // "-" is Env.Stdin
	Map           []string      `yaml:"map" key:"run"`     // columns of fields, as FIELD=COLUMN (prompts.Mapping)
	FromResponses bool          `yaml:"from-responses" key:"run"`
	// Limit is how many rows are taken; 0: all. More rows of the same prompts are the same run, going on.
	Limit   int    `yaml:"limit" key:"none"`
	Samples int    `yaml:"samples" key:"run"` // rows of each prompt
	System  string `yaml:"system" key:"run"`
	Out     string `yaml:"out,omitempty" key:"none"` // the run directory

	Revisions       int           `yaml:"revisions" key:"run"` // rounds; 0: first responses only
	Critique        bool          `yaml:"critique" key:"run"`
	Mode            revise.Mode   `yaml:"mode" key:"run"`
	Draw            revise.Draw   `yaml:"draw" key:"run"`       // of a round's principle
	Revise          revise.When   `yaml:"revise" key:"run"`     // which drafts
	Tries           int           `yaml:"tries" key:"run"`      // of a round, while a turn is flagged; 0: flagged revisions are taken
	MaxTokens       int           `yaml:"max-tokens" key:"run"` // of a turn
	Preset          Preset        `yaml:"sampling" key:"none"`  // where what follows comes from, unless it is given
	Sampling        sample.Params `yaml:",inline"`
	Own             OwnLimits     `yaml:",inline"`
	CritiqueGrammar string        `yaml:"critique-grammar" key:"run"` // path of a GBNF file
	Quote           bool          `yaml:"quote" key:"run"`            // critiques quote their draft (package quote)
	LogProbs        bool          `yaml:"logprobs" key:"run"`
	Seed            uint64        `yaml:"seed" key:"run"`
	Gate            GateConfig    `yaml:",inline"`

	Speculate bool                 `yaml:"speculate" key:"none"` // drafted tokens change when a token comes, not which
	Compute   runner.ComputeConfig `yaml:",inline"`
	Context   runner.ContextConfig `yaml:",inline"`

	// Redo accepts other settings than the run has, and RetryFailed does failed rows again. Both apply to one command and
	// are not settings of the run.
	Redo        bool `yaml:"-" key:"none"`
	RetryFailed bool `yaml:"-" key:"none"`
}

// OwnLimits are what critiques and revisions have of their own.
type OwnLimits struct {
	CritiqueTemperature float64 `yaml:"critique-temperature" key:"run"` // -1: temperature
	CritiqueMaxTokens   int     `yaml:"critique-max-tokens" key:"run"`  // 0: max-tokens
	RevisionTemperature float64 `yaml:"revision-temperature" key:"run"`
	RevisionMaxTokens   int     `yaml:"revision-max-tokens" key:"run"`
}

// GateConfig says which revisions a run takes (revise.Gate). Without On the other fields count for nothing.
type GateConfig struct {
	On      bool    `yaml:"gate" key:"run"`
	Tries   int     `yaml:"gate-tries" key:"run"`
	Margin  float64 `yaml:"gate-margin" key:"run"`
	Veto    float64 `yaml:"gate-veto" key:"run"`
	MinMass float64 `yaml:"gate-min-mass" key:"run"`
	// Untested takes the judge's word also where it fails its test (package selftest).
	Untested bool `yaml:"untested" key:"none"`
}

// The defaults of settings that several use cases have.
const (
	DefaultMaxTokens = 256
	DefaultTries     = 3
	DefaultMinMass   = 0.1 // the least probability of a judgement's two answers together
	defaultLayer     = "hhh"
)

// DefaultRunConfig returns the default settings of a run.
func DefaultRunConfig() RunConfig {
	return RunConfig{
		Demonstrations: revise.BeforeCritique, DemonstrationSets: 1, Samples: 1,
		Revisions: 2, Critique: true, Mode: revise.Faithful, Draw: revise.Fitting, Revise: revise.Found, MaxTokens: DefaultMaxTokens, Tries: DefaultTries,
		Preset: Recommended, Sampling: measuredSampling(), Own: OwnLimits{CritiqueTemperature: -1, RevisionTemperature: -1},
		Gate:      GateConfig{Tries: 2, MinMass: DefaultMinMass},
		Speculate: true, Compute: runner.DefaultCompute(), Context: runner.DefaultContext(),
	}
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError, joined.
func (c RunConfig) Validate() error {
	var errs []error
	for _, need := range []struct{ field, value, what string }{
		{"model", c.Model, "the model that answers"}, {"prompts", c.Prompts.String(), "what it answers"}, {"out", c.Out, "the run directory"},
	} {
		if need.value == "" {
			errs = append(errs, failure.Missing(need.field, need.what))
		}
	}
	return errors.Join(append(errs, validateMap(c.Map), c.validateRow())...)
}

// validateRow checks what does not depend on where rows come from and go to.
func (c RunConfig) validateRow() error {
	return errors.Join(
		failure.OneOf("mode", c.Mode, revise.Modes()...),
		failure.OneOf("demonstrations", c.Demonstrations, revise.Places()...),
		failure.OneOf("sampling", c.Preset, Presets()...),
		failure.OneOf("draw", c.Draw, revise.Draws()...),
		failure.OneOf("revise", c.Revise, revise.Whens()...),
		c.validateVerdicts(), c.validateQuote(),
		failure.Range("limit", c.Limit, 0, 1<<40),
		failure.Range("demonstration-sets", c.DemonstrationSets, 1, 1000),
		failure.Range("samples", c.Samples, 1, 1000),
		failure.Range("revisions", c.Revisions, 0, 100),
		failure.Range("max-tokens", c.MaxTokens, 1, runner.MostTokens),
		failure.Range("tries", c.Tries, 0, 100), c.Own.validate(),
		c.Compute.Validate(), c.Context.Validate(),
		c.validateCritic(), c.validateServer(),
		runner.ValidateAdapter("lora", c.LoRA), runner.ValidateAdapter("critic-lora", c.CriticLoRA),
		validateSampling(c.Sampling), c.Gate.validate(),
	)
}

// validateQuote refuses two forms for critiques, and one where there are none.
func (c RunConfig) validateQuote() error {
	switch {
	case c.Quote && c.CritiqueGrammar != "":
		return &failure.FieldError{Field: "quote", Value: "true", Want: "is a form of critiques, as critique-grammar is: give one of the two"}
	case c.Quote && !c.Critique:
		return &failure.FieldError{Field: "quote", Value: "true", Want: "is a form of critiques: there are none with critique false"}
	}
	return nil
}

// validateVerdicts refuses what verdicts would decide twice.
func (c RunConfig) validateVerdicts() error {
	if c.Gate.On && c.JudgesResponses() {
		return &failure.FieldError{Field: "gate", Value: "true", Want: "asks for verdicts itself: leave out --draw targeted and --revise breached"}
	}
	return nil
}

// JudgesResponses reports whether single responses are judged before their critique, other than by a gate.
func (c RunConfig) JudgesResponses() bool {
	return c.Revisions > 0 && (c.Draw == revise.Targeted || c.Revise == revise.Breached)
}

func (o OwnLimits) validate() error {
	return errors.Join(
		failure.Range("critique-temperature", o.CritiqueTemperature, -1, sample.MostTemperature),
		failure.Range("critique-max-tokens", o.CritiqueMaxTokens, 0, runner.MostTokens),
		failure.Range("revision-temperature", o.RevisionTemperature, -1, sample.MostTemperature),
		failure.Range("revision-max-tokens", o.RevisionMaxTokens, 0, runner.MostTokens),
	)
}

func (c RunConfig) validateCritic() error {
	for _, f := range []struct{ field, value string }{{"critic", c.Critic}, {"critic-lora", c.CriticLoRA}, {"critic-url", c.CriticURL}} {
		if f.value != "" && c.Revisions == 0 {
			return &failure.FieldError{Field: f.field, Value: f.value, Want: "is for critiques and revisions: it has no use with revisions 0"}
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

// layers returns the constitutions to compose: those given, or the model's default.
func (c RunConfig) layers() []string {
	if len(c.Constitution) > 0 {
		return c.Constitution
	}
	return []string{DefaultConstitution(c.Model)}
}

// DefaultConstitution names the constitution that a model has by default.
func DefaultConstitution(model string) string {
	if model == testbed.Name {
		return testbed.Name
	}
	return defaultLayer
}

// staged reports whether first responses and the turns after them are computed by different models or adapters.
func (c RunConfig) staged() bool {
	return c.Revisions > 0 && (c.LoRA != "" || c.Critic != "" || c.CriticLoRA != "" || c.CriticURL != "")
}

// validateSampling checks how tokens are drawn.
func validateSampling(s sample.Params) error {
	var param *sample.ParamError
	err := s.Validate()
	if errors.As(err, &param) {
		return &failure.FieldError{Field: param.Param, Value: param.Value, Want: param.Want}
	}
	return err
}
