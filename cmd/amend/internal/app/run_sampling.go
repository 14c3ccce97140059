package app

import (
	"amend/cmd/amend/internal/runner"
	"amend/engine/sample"
)

// Preset says where sampling settings come from that are not given. Where a flag or a settings file names one, it sets all of
// them: what the same place names besides it wins.
type Preset string

// The presets.
const (
	// Recommended are the values that the model's file recommends (general.sampling.*), or else those that were measured.
	Recommended Preset = "recommended"
	// Paper are those of Bai et al. 2022: temperature 1, and nothing cut off.
	Paper Preset = "paper"
)

// Presets lists them, the default first.
func Presets() []Preset { return []Preset{Recommended, Paper} }

// measuredSampling is what was measured best for models whose file recommends nothing (docs/real-models.md).
func measuredSampling() sample.Params {
	return sample.Params{Temperature: 0.7, TopP: 1, MinP: 0.1, RepetitionPenalty: 1}
}

// apply sets the sampling settings of a preset for a model.
func (p Preset) apply(c *RunConfig, model string) {
	c.Sampling = measuredSampling()
	c.Own.CritiqueTemperature, c.Own.RevisionTemperature = -1, -1
	switch p {
	case Paper:
		c.Sampling = sample.Params{Temperature: 1, TopP: 1, RepetitionPenalty: 1}
	case Recommended:
		if own, ok := recommendedBy(model); ok {
			c.Sampling = own
		}
	}
}

// recommendedBy reads what a model's file recommends; ok is false where it says nothing. A model that cannot be found or
// read is no error here: opening it says why.
func recommendedBy(model string) (s sample.Params, ok bool) {
	if model == "" {
		return s, false
	}
	found, err := runner.Find(model)
	if err != nil {
		return s, false
	}
	r, ok := found.Sampling()
	return sample.Params{
		Temperature: r.Temperature, TopK: r.TopK, TopP: r.TopP, MinP: r.MinP,
		RepetitionPenalty: r.RepetitionPenalty, PenaltyWindow: r.PenaltyWindow,
	}, ok
}
