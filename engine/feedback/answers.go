package feedback

import (
	"context"
	"fmt"
	"math"
	"slices"

	"amend/engine"
	"amend/engine/chat"
)

// answers are the token ids with which either of two answers can begin behind a prompt: a pair of lists for each
// spelling, up to the first token in which the two differ. No list begins another, so their probabilities add.
type answers struct{ options [][]engine.Token }

// words are the answers to a judgement: that the response keeps to the principle, or which of two is better.
func words(alone bool) [][2]string {
	if alone {
		return [][2]string{{answerYes, answerNo}, {"Yes", "No"}}
	}
	return [][2]string{{answerA, answerB}}
}

// newAnswers finds the spellings of two answers in a model's own tokens: each pair of words as the layout writes it, and
// with and without a space before.
func newAnswers(ctx context.Context, c *chat.Conversation, behind []engine.Token, words [][2]string) (answers, error) {
	var out answers
	for _, w := range words {
		if err := out.spell(ctx, c, behind, w); err != nil {
			return out, err
		}
	}
	return out, nil
}

// spell adds the spellings of a pair of words.
func (a *answers) spell(ctx context.Context, c *chat.Conversation, behind []engine.Token, words [2]string) error {
	first, err := c.Spellings(ctx, behind, words[0])
	if err != nil {
		return err
	}
	second, err := c.Spellings(ctx, behind, words[1])
	if err != nil {
		return err
	}
	for i := range min(len(first), len(second)) {
		n := 0
		for n < min(len(first[i]), len(second[i])) && first[i][n] == second[i][n] {
			n++
		}
		if n == min(len(first[i]), len(second[i])) {
			return fmt.Errorf("this model's tokens do not tell %s from %s: %v and %v", words[0], words[1], first[i], second[i])
		}
		a.add(first[i][:n+1], second[i][:n+1])
	}
	return nil
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
