package app

import (
	"context"
	"errors"
	"fmt"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/models"
)

// SynthConfig describes a model of random weights.
type SynthConfig struct {
	Shape     string `yaml:"shape"`         // a name, or layers,embedding,feed-forward,heads,KV heads
	Tokenizer string `yaml:"tokenizer"`     // model that gives vocabulary and chat template
	Quant     string `yaml:"quant"`         // quantization of the weights
	Seed      uint64 `yaml:"seed"`          // the same seed writes the same bytes
	Out       string `yaml:"out"`           // file to write
	Template  string `yaml:"chat-template"` // path of a chat template to use in place of the tokenizer's
	Force     bool   `yaml:"force"`         // replace the file if it exists
}

// DefaultSynthConfig has no shape, tokenizer or file yet.
func DefaultSynthConfig() SynthConfig { return SynthConfig{Quant: "Q4_0", Seed: 1} }

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError.
func (c SynthConfig) Validate() error {
	var errs []error
	for _, needed := range []struct{ field, value string }{{"shape", c.Shape}, {"tokenizer", c.Tokenizer}, {"out", c.Out}} {
		if needed.value == "" {
			errs = append(errs, failure.Missing(needed.field, ""))
		}
	}
	return errors.Join(errs...)
}

// Synthesized is a model of random weights that was written.
type Synthesized struct {
	models.Synthesized
	WallS float64 `json:"wall_s"` // seconds
}

// Synthesize writes a model of real shape with random weights. Progress counts bytes.
func Synthesize(ctx context.Context, env Env, c SynthConfig) (Synthesized, error) {
	if err := c.Validate(); err != nil {
		return Synthesized{}, err
	}
	shape, err := models.ParseShape(c.Shape)
	if err != nil {
		return Synthesized{}, failure.Input(err)
	}
	if err := refuseExisting(c.Out, c.Force); err != nil {
		return Synthesized{}, err
	}
	tokenizer, err := openModel(c.Tokenizer)
	if err != nil {
		return Synthesized{}, fmt.Errorf("tokenizer: %w", err)
	}
	spec := models.Spec{Shape: shape, Quant: c.Quant, Seed: c.Seed, Tokenizer: tokenizer}
	if c.Template != "" {
		if spec.Template, err = runner.ReadTemplate(c.Template); err != nil {
			return Synthesized{}, failure.Input(err)
		}
	}
	start := env.Now()
	made, err := models.Synth(ctx, c.Out, spec, c.Force, env.percents())
	return Synthesized{made, env.Now().Sub(start).Seconds()}, err
}

// percents passes on each new percent of a job that counts bytes.
func (e Env) percents() func(done, total uint64) {
	last := uint64(0)
	return func(done, total uint64) {
		if percent := done * 100 / max(total, 1); percent > last && e.Progress != nil {
			last = percent
			e.Progress(Progress{Of: int(total), Done: int(done)})
		}
	}
}
