package sample

import (
	"maps"
	"slices"

	"amend/engine/digest"
)

// MostTemperature is the highest temperature that means something: all tokens that are kept are as likely as one another.
const MostTemperature = 100

// Params says how a token is drawn from logits. The chain is
//
//	penalties, bias → grammar → top-k → top-p → min-p → temperature
//
// Everything up to min-p acts on the distribution at temperature 1, and the
// temperature on what is left: the order that llama.cpp's own chain uses. The
// zero value takes the most likely token and changes nothing. All of it is part
// of a turn's key (package digest): another token may come by any field.
type Params struct {
	Temperature float64 `key:"turn" yaml:"temperature"` // 0 takes the most likely token, the lowest id among equals
	TopK        int     `key:"turn" yaml:"top-k"`       // keep the K most likely tokens; 0 keeps all
	TopP        float64 `key:"turn" yaml:"top-p"`       // keep the most likely tokens that make up this much; 0 or 1 keeps all
	MinP        float64 `key:"turn" yaml:"min-p"`       // keep tokens at least this likely relative to the best; 0 keeps all

	// RepetitionPenalty divides positive logits of tokens that the turn has
	// generated, and multiplies negative ones (after Keskar et al. 2019, "CTRL",
	// section 4.1); 0 or 1 is off. Like the other penalties it leaves out the
	// prompt: a revision is to copy most of the draft that its prompt holds.
	RepetitionPenalty float64 `key:"turn" yaml:"repetition-penalty"`
	// FrequencyPenalty is taken off a token's logit for every time that the
	// turn has generated it; 0 is off.
	FrequencyPenalty float64 `key:"turn" yaml:"frequency-penalty"`
	// PresencePenalty is taken off once, however often it was generated; 0 is
	// off.
	PresencePenalty float64 `key:"turn" yaml:"presence-penalty"`
	// PenaltyWindow is how many of the turn's last tokens count; 0 counts all.
	PenaltyWindow int `key:"turn" yaml:"penalty-window"`
	// LogitBias is added to the logits of single tokens, after the penalties;
	// −Inf bans a token. The map must not change while a turn uses it.
	LogitBias LogitBias `key:"turn" yaml:"logit-bias"`
}

// Encode writes all of it to a key. Two settings that draw alike, such as a top-p of 0 and of 1, are written differently:
// nothing is taken for another thing, and some turns are computed again.
func (s Params) Encode(e *digest.Encoder) {
	for _, v := range []float64{
		s.Temperature, float64(s.TopK), s.TopP, s.MinP, s.RepetitionPenalty, s.FrequencyPenalty, s.PresencePenalty, float64(s.PenaltyWindow),
	} {
		e.Float(v)
	}
	e.Int(len(s.LogitBias))
	for _, id := range slices.Sorted(maps.Keys(s.LogitBias)) {
		e.Number(uint64(id))
		e.Float(s.LogitBias[id])
	}
}

// Validate returns a *ParamError when a value makes no sense.
func (s Params) Validate() error {
	in := func(v, lo, hi float64) bool { return v >= lo && v <= hi } // false for NaN
	switch {
	case !in(s.Temperature, 0, MostTemperature):
		return &ParamError{"temperature", s.Temperature, "must be from 0 to 100"}
	case s.TopK < 0:
		return &ParamError{"top-k", s.TopK, "must be 0 (all) or more"}
	case !in(s.TopP, 0, 1):
		return &ParamError{"top-p", s.TopP, "must be from 0 to 1"}
	case !in(s.MinP, 0, 1):
		return &ParamError{"min-p", s.MinP, "must be from 0 to 1"}
	case s.RepetitionPenalty != 0 && !in(s.RepetitionPenalty, 0.1, 10):
		return &ParamError{"repetition-penalty", s.RepetitionPenalty, "must be from 0.1 to 10, or 0 or 1 (off)"}
	case !in(s.FrequencyPenalty, -100, 100):
		return &ParamError{"frequency-penalty", s.FrequencyPenalty, "must be from -100 to 100"}
	case !in(s.PresencePenalty, -100, 100):
		return &ParamError{"presence-penalty", s.PresencePenalty, "must be from -100 to 100"}
	case s.PenaltyWindow < 0:
		return &ParamError{"penalty-window", s.PenaltyWindow, "must be 0 (all of the turn) or more"}
	}
	return validateBias(s.LogitBias)
}

// truncates reports whether the truncations can change what is drawn.
func (s Params) truncates() bool {
	return s.Temperature != 0 && (s.TopK > 0 || s.cutsMass() || s.MinP > 0)
}

func (s Params) cutsMass() bool { return s.TopP > 0 && s.TopP < 1 }
