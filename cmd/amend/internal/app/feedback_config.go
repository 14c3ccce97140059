package app

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/feedback"
	"amend/engine/prompts"
	"amend/engine/sample"
)

// FeedbackConfig are the settings of labelling. Exactly one of Run, Pairs and Prompts says what is judged.
type FeedbackConfig struct {
	Run     string        `yaml:"run,omitempty" key:"run"` // a run directory: its own answers
	Pairs   prompts.Paths `yaml:"pairs" key:"run"`         // preference sets: files, folders and patterns; "-" is Env.Stdin
	Prompts prompts.Paths `yaml:"prompts" key:"run"`       // answers to these prompts are drawn first, into the run directory Out

	Judge string `yaml:"judge" key:"run"` // model that judges; empty: the run's critic; Pairs have no default
	Out   string `yaml:"out,omitempty" key:"none"`
	// Limit is how many pairs are taken, of Prompts the prompts; 0: all. More pairs are the same labels, going on.
	Limit int `yaml:"limit" key:"none"`

	// Map names columns of Pairs, or of Prompts (prompts.Mapping).
	Map []string `yaml:"map" key:"run"`

	// Of Prompts alone. They make another run, and so other pairs.
	Samples int    `yaml:"samples" key:"run"` // answers to each
	Model   string `yaml:"model" key:"run"`   // that answers
	LoRA    string `yaml:"lora" key:"run"`    // an adapter on it

	Rounds       []int    `yaml:"rounds,flow" key:"run"` // the two that are compared; empty: 0 and the last, or samples
	Pairing      Pairing  `yaml:"pairing" key:"run"`     // which samples are compared; empty: neighbours
	Constitution []string `yaml:"constitution" key:"run"`
	Principles   []string `yaml:"principles" key:"run"`
	Draws        int      `yaml:"draws" key:"run"` // principles of each pair

	// Layout is how the judge is asked; empty: as the constitution allows (feedback.LayoutFor).
	Layout     feedback.PromptOrder `yaml:"layout" key:"run"`
	MinMass    float64              `yaml:"min-mass" key:"run"`
	Reasonings int                  `yaml:"reasonings" key:"run"`
	Clamp      []float64            `yaml:"clamp,flow" key:"run"` // of reasonings
	MaxTokens  int                  `yaml:"max-tokens" key:"run"` // of a reasoning
	// How reasonings are drawn (sample.Params).
	Temperature float64 `yaml:"temperature" key:"run"`
	TopP        float64 `yaml:"top-p" key:"run"`
	TopK        int     `yaml:"top-k" key:"run"`
	MinP        float64 `yaml:"min-p" key:"run"`
	Seed        uint64  `yaml:"seed" key:"run"`

	// Untested takes labels of a judge also where it fails its test (package selftest).
	Untested bool `yaml:"untested" key:"none"`

	// Compute.Chat is empty to write conversations as the run does, or for Pairs as the model's template does.
	Compute runner.ComputeConfig `yaml:",inline"`
	Context runner.ContextConfig `yaml:",inline"`

	// Report asks what the labels are worth.
	Report bool `yaml:"-" key:"none"`
}

// Pairing says which samples of a prompt are compared.
type Pairing string

// The pairings.
const (
	PairNeighbours Pairing = "neighbours" // the first with the second, the third with the fourth
	PairFirst      Pairing = "first"      // all others with the first
)

// FeedbackSettingsFile is the config of labels in their directory.
const FeedbackSettingsFile = "feedback.yaml"

// DefaultFeedbackConfig returns the default settings of labelling.
func DefaultFeedbackConfig() FeedbackConfig {
	c := FeedbackConfig{
		Samples: 2, Draws: 1, MinMass: DefaultMinMass,
		Clamp: []float64{0.4, 0.6}, MaxTokens: DefaultMaxTokens,
		Temperature: 1, TopP: 1,
		Compute: runner.DefaultCompute(), Context: runner.DefaultContext(),
	}
	c.Compute.Chat = ""
	return c
}

func (c *FeedbackConfig) paths() paths {
	return paths{
		files:    []*string{&c.Run, &c.Out, &c.Compute.Template, &c.Context.PreambleCache},
		models:   []*string{&c.Judge, &c.Model},
		adapters: []*string{&c.LoRA},
		layers:   c.Constitution,
		inputs:   [][]string{c.Pairs, c.Prompts},
	}
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError, joined.
func (c FeedbackConfig) Validate() error {
	return errors.Join(
		c.validateWhat(), validateMap(c.Map),
		failure.Range("min-mass", c.MinMass, 0, 1),
		c.validateClamp(),
		failure.Range("limit", c.Limit, 0, 1<<40),
		failure.Range("draws", c.Draws, 1, 1000),
		failure.Range("reasonings", c.Reasonings, 0, 1000),
		failure.Range("max-tokens", c.MaxTokens, 1, runner.MostTokens),
		failure.Range("samples", c.Samples, 2, 1000),
		c.validateLayout(),
		failure.OneOf("pairing", c.pairing(), PairNeighbours, PairFirst),
		validateSampling(c.sampling()), runner.ValidateAdapter("lora", c.LoRA),
		inherited(c.Compute).Validate(), c.Context.Validate(),
	)
}

// validateWhat checks what is to be judged.
func (c FeedbackConfig) validateWhat() error {
	given := 0
	for _, s := range []string{c.Run, c.Pairs.String(), c.Prompts.String()} {
		if s != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return failure.Inputf("several things to judge: pass one of a run directory, pairs and prompts")
	case given == 0:
		return failure.Inputf("nothing to judge: pass a run directory, --pairs FILE or --prompts FILE (see amend feedback --help)")
	case c.Run == "" && c.Out == "":
		return failure.Missing("out", "the folder that the labels go to")
	case c.Run != "" && c.Out != "":
		return &failure.FieldError{Field: "out", Value: c.Out, Want: "the labels of a run go into its own directory, " + c.Run}
	case c.Run == "" && len(c.Rounds) > 0:
		return &failure.FieldError{Field: "rounds", Want: "is for existing runs: pairs and prompts have no rounds"}
	case c.Pairing != "" && (len(c.Pairs) > 0 || len(c.Rounds) > 0):
		return &failure.FieldError{Field: "pairing", Want: "is for samples: pairs and rounds already say what is compared"}
	case len(c.Rounds) > 0 && (len(c.Rounds) != 2 || c.Rounds[0] == c.Rounds[1] || slices.Min(c.Rounds) < 0):
		return &failure.FieldError{Field: "rounds", Value: c.Rounds, Want: "must be two different rounds, 0 or more, such as 0,2"}
	}
	return nil
}

func (c FeedbackConfig) validateLayout() error {
	switch {
	case c.Layout == "":
		return nil
	case c.Layout == feedback.ByPrinciple && c.Reasonings > 0:
		return &failure.FieldError{Field: "layout", Value: c.Layout, Want: "has no room for reasonings before an answer: leave them out, or take another layout"}
	}
	return failure.OneOf("layout", c.Layout, feedback.PromptOrders()...)
}

func (c FeedbackConfig) validateClamp() error {
	if len(c.Clamp) != 2 || !(c.Clamp[0] >= 0 && c.Clamp[1] <= 1 && c.Clamp[0] < c.Clamp[1]) { // also where one is no number
		return &failure.FieldError{Field: "clamp", Value: c.Clamp, Want: "must be two numbers from 0 to 1, the lower one first"}
	}
	return nil
}

// sampling says how reasonings are drawn.
func (c FeedbackConfig) sampling() sample.Params {
	return sample.Params{Temperature: c.Temperature, TopP: c.TopP, TopK: c.TopK, MinP: c.MinP}
}

// pairing is the pairing of samples.
func (c FeedbackConfig) pairing() Pairing {
	if c.Pairing == "" {
		return PairNeighbours
	}
	return c.Pairing
}

// dir is where the labels are.
func (c FeedbackConfig) dir() string {
	if c.Run != "" {
		return c.Run
	}
	return c.Out
}

// inherited gives compute settings whose way of writing conversations is left open the model's own.
func inherited(c runner.ComputeConfig) runner.ComputeConfig {
	if c.Chat == "" {
		c.Chat = runner.ChatTemplate
	}
	return c
}

// drawing is the run that draws the answers to Prompts.
func (c FeedbackConfig) drawing() RunConfig {
	r := DefaultRunConfig()
	r.Map = c.Map
	r.Model, r.LoRA, r.Prompts, r.Samples, r.Revisions, r.Out = c.Model, c.LoRA, c.Prompts, c.Samples, 0, c.Out
	r.Seed, r.Limit, r.Constitution, r.Principles, r.Context = c.Seed, c.Limit, c.Constitution, c.Principles, c.Context
	chat, template := r.Compute.Chat, r.Compute.Template
	r.Compute = inherited(c.Compute)
	if c.Judge != "" { // they are the judge's
		r.Compute.Chat, r.Compute.Template = chat, template
	}
	return r
}

// checkJudge checks what judging needs, before answers are drawn.
func (c FeedbackConfig) checkJudge() error {
	if c.Judge != "" {
		if _, err := runner.Find(c.Judge); err != nil {
			return err
		}
	}
	return checkJudgements(c.drawing().layers(), c.Principles)
}

// ResolveFeedback gives the settings of labelling before any is given by itself: those of the labels in another directory
// (like), except what is judged, constitution, principles and out, and over them those of a file.
func ResolveFeedback(like, config string) (FeedbackConfig, error) {
	c := DefaultFeedbackConfig()
	if like != "" {
		if err := readSettings(filepath.Join(like, FeedbackSettingsFile), &c); err != nil {
			return c, fmt.Errorf("settings like those of %s: %w", like, err)
		}
		c.Run, c.Pairs, c.Prompts, c.Map, c.Out, c.Constitution, c.Principles = "", nil, nil, nil, "", nil, nil
	}
	if config != "" {
		if err := readSettings(config, &c); err != nil {
			return c, err
		}
	}
	return c, nil
}
