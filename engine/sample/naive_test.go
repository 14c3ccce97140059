package sample

import (
	"cmp"
	"math"
	"slices"
)

// chain is the sampling chain in the obvious way, each step on the whole list:
// what the sampler is compared with.
type chain struct {
	Params
	past    []Token
	allowed func(Token) bool // nil allows all
}

// probabilities is what the chain leaves of the logits, by token; all 0 when
// nothing may come next.
func (c chain) probabilities(logits []float32) []float64 {
	logits = c.changed(logits)
	p := softmax(logits, 1)
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(logits[b], logits[a]) })
	out := make([]float64, len(p))
	if math.IsInf(float64(logits[order[0]]), -1) {
		return out
	}
	if c.Temperature == 0 {
		out[order[0]] = 1
		return out
	}
	hot := softmax(logits, c.Temperature)
	sum := 0.0
	for _, i := range order[:c.kept(p, order)] {
		if i == order[0] || p[i] >= c.MinP*p[order[0]] {
			out[i] = hot[i]
			sum += hot[i]
		}
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// changed applies penalties, bias and grammar.
func (c chain) changed(logits []float32) []float32 {
	last := c.past
	if c.PenaltyWindow > 0 && len(last) > c.PenaltyWindow {
		last = last[len(last)-c.PenaltyWindow:]
	}
	logits = slices.Clone(logits)
	for i := range logits {
		v := float64(logits[i])
		times := 0.0
		for _, t := range last {
			if int(t) == i {
				times++
			}
		}
		if times > 0 {
			if c.RepetitionPenalty != 0 && v > 0 {
				v /= c.RepetitionPenalty
			} else if c.RepetitionPenalty != 0 {
				v *= c.RepetitionPenalty
			}
			v -= times * c.FrequencyPenalty
			v -= c.PresencePenalty
		}
		logits[i] = float32(float64(float32(v)) + c.LogitBias[Token(i)])
		if c.allowed != nil && !c.allowed(Token(i)) {
			logits[i] = float32(math.Inf(-1))
		}
	}
	return logits
}

// kept is how many tokens top-k and top-p keep.
func (c chain) kept(p []float64, order []int) int {
	keep := len(order)
	if c.TopK > 0 {
		keep = min(keep, c.TopK)
	}
	if c.TopP == 0 || c.TopP == 1 {
		return keep
	}
	total, mass := 0.0, 0.0
	for _, i := range order[:keep] {
		total += p[i]
	}
	for n, i := range order[:keep] {
		if mass += p[i]; mass >= c.TopP*total {
			return n + 1
		}
	}
	return keep
}

func softmax(logits []float32, temperature float64) []float64 {
	out := make([]float64, len(logits))
	top := float64(slices.Max(logits))
	sum := 0.0
	for i, l := range logits {
		out[i] = math.Exp((float64(l) - top) / temperature)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// at is the token whose share of [0, 1), in order of ids, holds u.
func at(p []float64, u float64) Token {
	last := Token(-1)
	for i, v := range p {
		if v == 0 {
			continue
		}
		if last = Token(i); u < v {
			break
		}
		u -= v
	}
	return last
}

// possible are the tokens that u may give when sums and limits are off by a
// little, as they are when they are summed in another order.
func (c chain) possible(logits []float32, u float64) []Token {
	const little = 1e-8
	var out []Token
	for _, limits := range []float64{1 - little, 1, 1 + little} {
		near := c
		if near.TopP > 0 && near.TopP < 1 {
			near.TopP = min(c.TopP*limits, 1)
		}
		near.MinP = c.MinP * limits
		p := near.probabilities(logits)
		for _, v := range []float64{max(0, u-little), u, u + little} {
			out = append(out, at(p, v))
		}
	}
	return out
}
