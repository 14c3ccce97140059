// Package fit says which principles a response has to do with. A model is asked which principle its response breaks, and what
// counts is how much likelier than after other responses it finds a principle's title as the answer: the pointwise mutual
// information of title and conversation. The principles are not listed. A model that is shown a list and is to choose from it
// mostly chooses by place.
package fit

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
)

// The question, and how its answer begins and ends. A title stands between.
const (
	request = "Which principle does your last response break?"
	stem    = `My last response breaks the principle "`
	end     = `"`
)

// Question is what an engine scores: the tokens up to where a title comes, and the title of each principle.
type Question struct {
	Tokens []engine.Token
	Titles [][]engine.Token
}

// Ask writes the question down behind a conversation and a response to it.
func Ask(ctx context.Context, c *chat.Conversation, response []engine.Token, principles []constitution.Principle) (q Question, err error) {
	asked, err := c.Next(ctx, response, chat.Message{Text: request})
	if err != nil {
		return q, err
	}
	if asked, err = asked.Answer(); err != nil {
		return q, err
	}
	said, err := asked.Append(nil, stem)
	if err != nil {
		return q, err
	}
	q.Tokens = slices.Concat(asked.Tokens, said)
	for _, p := range principles {
		ids, err := asked.Append(said, Title(p)+end)
		if err != nil {
			return q, fmt.Errorf("principle %s: %w", p.ID, err)
		}
		q.Titles = append(q.Titles, ids[len(said):])
	}
	return q, nil
}

// Longest is the most tokens that the question and a title have.
func (q Question) Longest() int {
	longest := 0
	for _, t := range q.Titles {
		longest = max(longest, len(t))
	}
	return len(q.Tokens) + longest
}

// Title is what a principle is called: its title, or else the words of its id.
func Title(p constitution.Principle) string {
	if p.Title != "" {
		return p.Title
	}
	return strings.ReplaceAll(p.ID, "-", " ")
}

// Sum is the log-probability of each title as a whole.
func Sum(logProbs [][]float64) []float64 {
	out := make([]float64, len(logProbs))
	for i, title := range logProbs {
		for _, p := range title {
			out[i] += p
		}
	}
	return out
}

// Calibration says what the log-probability of a title means.
type Calibration struct {
	// Base is the mean log-probability of each title after known responses, by the id of its principle.
	Base map[string]float64 `json:"base"`
	// Sharpness is by how much the log of a principle's share in draws grows with the log-probability of its title. At 0 all
	// principles fit alike.
	Sharpness float64 `json:"sharpness"`
}

// Lift is by how much likelier than usual a title is, in nats. One whose principle has no base is as likely as usual.
func (c Calibration) Lift(principle string, logProb float64) float64 {
	base, ok := c.Base[principle]
	if !ok {
		return 0
	}
	return logProb - base
}

// least is the smallest part of its weight that a principle keeps: one that does not fit is drawn last, and not never.
const least = 1e-9

// Weigh returns a document in which the weight of each principle is its own by how well it fits: logProbs are those of the
// titles, in the document's order. Draws from it are draws by fit. d is not changed.
func (c Calibration) Weigh(d *constitution.Document, logProbs []float64) (*constitution.Document, error) {
	if len(logProbs) != len(d.Principles) {
		return nil, fmt.Errorf("%d titles were scored, and constitution %s has %d principles", len(logProbs), d.Name, len(d.Principles))
	}
	best := math.Inf(-1)
	for i, p := range d.Principles {
		best = max(best, c.Lift(p.ID, logProbs[i]))
	}
	weighed, alike := *d, !slices.ContainsFunc(d.Principles, func(p constitution.Principle) bool { return p.Weight > 0 })
	weighed.Principles = slices.Clone(d.Principles)
	for i := range weighed.Principles {
		p := &weighed.Principles[i]
		if alike {
			p.Weight = 1
		}
		p.Weight *= max(least, math.Exp(c.Sharpness*(c.Lift(p.ID, logProbs[i])-best)))
	}
	return &weighed, nil
}

// Sharpen finds the sharpness under which known principles are likeliest to be drawn: lifts are those of all principles in
// each case, and known is the place of the one that it is about. Its logarithm is concave in the sharpness.
func Sharpen(lifts [][]float64, known []int) float64 {
	low, high := 0.0, most
	for range steps {
		a, b := low+(high-low)/3, high-(high-low)/3
		if likelihood(lifts, known, a) < likelihood(lifts, known, b) {
			low = a
		} else {
			high = b
		}
	}
	return (low + high) / 2
}

// The sharpest that is looked for, and the steps of the search: each leaves two thirds.
const (
	most  = 4.0
	steps = 40
)

// likelihood is the log of the probability that the known principles are drawn.
func likelihood(lifts [][]float64, known []int, sharpness float64) float64 {
	total := 0.0
	for i, of := range lifts {
		sum := 0.0
		for _, l := range of {
			sum += math.Exp(sharpness * (l - of[known[i]]))
		}
		total -= math.Log(sum)
	}
	return total
}
