package sample

import (
	"fmt"
	"math"
)

// past is what a turn has generated so far, as far as penalties look back.
type past struct {
	counts map[Token]int
	recent []Token // a ring; empty where the whole turn counts
	oldest int     // its place in recent
}

// add takes a token in, and drops the one that leaves a window of that many
// tokens; 0 drops none.
func (p *past) add(t Token, window int) {
	if p.counts == nil {
		p.counts = map[Token]int{}
	}
	p.counts[t]++
	if window == 0 {
		return
	}
	if len(p.recent) < window {
		p.recent = append(p.recent, t)
		return
	}
	gone := p.recent[p.oldest]
	if p.counts[gone]--; p.counts[gone] == 0 {
		delete(p.counts, gone)
	}
	p.recent[p.oldest] = t
	p.oldest = (p.oldest + 1) % window
}

func (s Params) penalizes() bool {
	return s.repetition() != 1 || s.FrequencyPenalty != 0 || s.PresencePenalty != 0
}

// repetition is the factor of the repetition penalty.
func (s Params) repetition() float64 {
	if s.RepetitionPenalty == 0 {
		return 1
	}
	return s.RepetitionPenalty
}

// penalized is the logit of a token that the turn has generated n times.
func (s Params) penalized(logit float64, n int) float64 {
	if logit > 0 {
		logit /= s.repetition()
	} else {
		logit *= s.repetition()
	}
	return logit - float64(n)*s.FrequencyPenalty - s.PresencePenalty
}

// adjust returns the logits after penalties and bias: those given, untouched,
// where there are none, else a copy.
func (s *Sampler) adjust(logits []float32) ([]float32, error) {
	if len(s.past.counts)+len(s.LogitBias) == 0 {
		return logits, nil
	}
	s.changed = append(s.changed[:0], logits...)
	for id, n := range s.past.counts {
		s.changed[id] = float32(s.penalized(float64(s.changed[id]), n))
	}
	for id, bias := range s.LogitBias {
		if int(id) >= len(logits) {
			return nil, &ParamError{"logit-bias", fmt.Sprintf("of token %d", id), fmt.Sprintf("the model's last token is %d", len(logits)-1)}
		}
		s.changed[id] = float32(float64(s.changed[id]) + bias)
	}
	return s.changed, nil
}

// validateBias names the lowest id whose bias makes no sense.
func validateBias(biases map[Token]float64) error {
	wrong, found := Token(math.MaxInt32), false
	for id, bias := range biases {
		sensible := id >= 0 && (math.Abs(bias) <= 1000 || math.IsInf(bias, -1))
		if !sensible && id <= wrong {
			wrong, found = id, true
		}
	}
	if !found {
		return nil
	}
	return &ParamError{"logit-bias", fmt.Sprintf("%d=%v", wrong, biases[wrong]), "must be from -1000 to 1000, or -Inf (never), for a token id of 0 or more"}
}
