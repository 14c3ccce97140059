package feedback

import (
	"context"
	"fmt"
	"math"
	"slices"

	"amend/engine"
	"amend/engine/chat"
)

// answers are the token ids with which (A) and (B) can begin behind a prompt: a pair of lists for each spelling, up to the
// first token in which the two differ. No list begins another, so their probabilities add.
type answers struct{ options [][]engine.Token }

// newAnswers finds the spellings of the answers in a model's own tokens: how the layout writes them, and with and
// without a space before.
func newAnswers(ctx context.Context, c *chat.Conversation, behind []engine.Token) (answers, error) {
	var out answers
	a, err := c.Openings(ctx, behind, answerA)
	if err != nil {
		return out, err
	}
	b, err := c.Openings(ctx, behind, answerB)
	if err != nil {
		return out, err
	}
	for i := range a {
		n := 0
		for n < min(len(a[i]), len(b[i])) && a[i][n] == b[i][n] {
			n++
		}
		if n == min(len(a[i]), len(b[i])) {
			return out, fmt.Errorf("this model's tokens do not tell %s from %s: %v and %v", answerA, answerB, a[i], b[i])
		}
		out.add(a[i][:n+1], b[i][:n+1])
	}
	return out, nil
}

// add takes a spelling, unless its lists begin ones that are there, or begin with one.
func (a *answers) add(pair ...[]engine.Token) {
	for _, have := range a.options {
		for _, ids := range pair {
			if n := min(len(have), len(ids)); slices.Equal(have[:n], ids[:n]) {
				return
			}
		}
	}
	a.options = append(a.options, pair...)
}

// ruledOut is the log-probability of what a model rules out altogether: a number, so that it can be written down.
const ruledOut = -1e4

// sum is the log-probability of either answer, all spellings together.
func (a *answers) sum(logProbs [][]float64) (out [2]float64) {
	out = [2]float64{math.Inf(-1), math.Inf(-1)}
	for i, option := range logProbs {
		total := 0.0
		for _, p := range option {
			total += p
		}
		out[i%2] = logAdd(out[i%2], total)
	}
	for i := range out {
		out[i] = max(out[i], ruledOut)
	}
	return out
}

// logAdd is log(exp(x) + exp(y)).
func logAdd(x, y float64) float64 {
	if x < y {
		x, y = y, x
	}
	if math.IsInf(y, -1) {
		return x
	}
	return x + math.Log1p(math.Exp(y-x))
}
