package sample

import "math"

// LogProb is the natural logarithm of a token's probability at temperature 1
// under the model's own logits: no penalty, bias, grammar or truncation. It is
// −Inf for a token that the model rules out, and NaN when the logits are not
// numbers (ErrLogits). The token must be in the vocabulary.
func LogProb(logits []float32, t Token) float64 {
	return float64(logits[t]) - logSum(logits)
}

// LogProbs is LogProb of each of the tokens, for one pass over the logits.
func LogProbs(logits []float32, tokens []Token) []float64 {
	sum := logSum(logits)
	out := make([]float64, len(tokens))
	for i, t := range tokens {
		out[i] = float64(logits[t]) - sum
	}
	return out
}

// logSum is log Σ e^logit, or NaN when the logits are not numbers.
func logSum(logits []float32) float64 {
	best, err := argmax(logits)
	if err != nil {
		return math.NaN()
	}
	top := logits[best]
	return float64(top) + math.Log(weigher(top, 1).sum(logits, 0, lastOfAll()))
}
