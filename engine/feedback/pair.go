// Package feedback has a model judge pairs of responses under the principles of a constitution: the AI feedback of
// Constitutional AI (Bai et al. 2022, section 4). A judgement shows a conversation and two responses as options (A) and
// (B), asks which one keeps better to a principle, and compares how likely the model finds either answer. Nothing is
// sampled, unless the judge is to think first.
//
// Each pair is judged under several principles, and under each in both orders, since small judges prefer a place (Lee
// et al. 2023, RLAIF). A label is the mean of what is valid.
package feedback

import (
	"math"

	"amend/constitution"
	"amend/engine/chat"
	"amend/engine/digest"
)

// Pair is a conversation and two responses to it.
type Pair struct {
	ID       string         `json:"id"`       // unique among the pairs
	Index    int            `json:"index"`    // place among them, from 0
	Messages []chat.Message `json:"messages"` // the last is the user's
	First    string         `json:"first"`
	Second   string         `json:"second"`
	// Better is what is known of the pair from elsewhere.
	Better Preference `json:"better,omitempty"`
	// Attributes is what principles may ask of the conversation.
	Attributes constitution.Attributes `json:"where,omitzero"`
	// Flagged says of either response whether a check found a fault in it (check.Checker).
	Flagged [2]bool `json:"flagged,omitzero"`
}

// Hash is of all that a label of the pair depends on: conversation, responses, and what principles may ask. It is 16
// hexadecimal digits.
func (p Pair) Hash() string {
	e := digest.New(digest.PairTextDomain)
	e.Text(p.prompt())
	e.Text(p.First)
	e.Text(p.Second)
	e.Text(p.Attributes.Jurisdiction)
	e.Text(p.Attributes.Language)
	for _, tag := range p.Attributes.Tags {
		e.Text(tag)
	}
	return e.Sum().Short()
}

// prompt names the conversation: pairs of one are not independent.
func (p Pair) prompt() string { return PromptHash(p.Messages) }

// PromptHash names a conversation by its content: 16 hexadecimal digits.
func PromptHash(conversation []chat.Message) string { return digest.Prompt(chat.Texts(conversation)) }

// Preference says which response of a pair is better.
type Preference string

// The preferences.
const (
	Unknown Preference = ""
	First   Preference = "first"
	Second  Preference = "second"
	Tie     Preference = "tie"
)

// Label is what the judge says of a pair.
type Label struct {
	ID    string `json:"id"`
	Index int    `json:"index"`
	Pair  string `json:"pair"` // Pair.Hash of the texts that were judged
	// P is the probability that the first response is the better one: the mean over the principles under which both
	// orders gave a valid judgement; nil where there is none.
	P          *float64    `json:"p,omitempty"`
	Judgements []Judgement `json:"judgements"`
	// Error is why the pair was not judged.
	Error string `json:"error,omitempty"`
}

// Cost is what judgements took when they were computed, in tokens as engine.Result counts them. It depends on what ran beside them,
// and is in no label.
type Cost struct {
	Prompt  int `json:"prompt_tokens"`
	Reused  int `json:"reused_tokens"`  // of the prompts, found in the KV cache
	Decoded int `json:"decoded_tokens"` // of reasonings
}

// Add adds another cost.
func (c *Cost) Add(o Cost) {
	c.Prompt += o.Prompt
	c.Reused += o.Reused
	c.Decoded += o.Decoded
}

func (c *Cost) add(a Answer) { c.Add(Cost{a.Prompt, a.Reused, a.Decoded}) }

// Labelled is a pair with its label.
type Labelled struct {
	Pair  Pair  `json:"pair"`
	Label Label `json:"label"`
}

// Flips counts the principles under which another response is preferred when the order is changed, of those with a valid judgement
// in both orders.
func (l Label) Flips() (flipped, of int) {
	for _, p := range l.under {
		of++
		if flips(p) {
			flipped++
		}
	}
	return flipped, of
}

// Principles are the ids of those with a valid judgement in both orders.
func (l Label) Principles() []string {
	out := []string{}
	for given := range l.under {
		out = append(out, given.Principle)
	}
	return out
}

// Judgement is what the judge says of a pair under one principle, in one order.
type Judgement struct {
	Principle string `json:"principle"`
	Swapped   bool   `json:"swapped"` // the second response was option (A)
	// Alone says that one response was judged by itself: the first, or the second where Swapped is set. LogProbs are those of yes
	// and no then, and P, which both judgements of a pair have, compares them.
	Alone bool `json:"alone,omitempty"`
	// LogProbs of the answers (A) and (B), in all spellings, at temperature 1. With reasons before the answer they are
	// those of the first reasoning.
	LogProbs [2]float64 `json:"logprobs"`
	// Mass is how likely the model found the two answers together: where it is small, it would have said something else.
	Mass float64 `json:"mass"`
	// P is the probability that the first response is the better one, whatever the order it was shown in.
	P       float64 `json:"p"`
	Invalid bool    `json:"invalid,omitempty"` // Mass was below the limit: P counts for nothing
	// Reasonings are the thoughts before the answer, where the judge was to think first.
	Reasonings []Reasoning `json:"reasonings,omitempty"`
}

// Reasoning is what the judge thought before an answer, and how likely it then found (A) and (B).
type Reasoning struct {
	Text     string     `json:"text"`
	LogProbs [2]float64 `json:"logprobs"`
	Mass     float64    `json:"mass"`
	P        float64    `json:"p"` // of the first response, clamped
}

// under gives, for each principle with two valid judgements, the first of them, and the probability in the order of the pair, and
// in the other one.
func (l Label) under(yield func(given Judgement, p [2]float64) bool) {
	for i := 0; i+1 < len(l.Judgements); i += 2 {
		given, swapped := l.Judgements[i], l.Judgements[i+1]
		if given.Invalid || swapped.Invalid {
			continue
		}
		if !yield(given, [2]float64{given.P, swapped.P}) {
			return
		}
	}
}

// settle sets P from the judgements.
func (l *Label) settle() {
	l.compare()
	sum, n := 0.0, 0.0
	for _, p := range l.under {
		sum += p[0] + p[1]
		n += 2
	}
	if l.P = nil; n > 0 {
		mean := sum / n
		l.P = &mean
	}
}

// compare holds the two responses that were judged alone against each other: by how much the log-odds of "yes" differ. What a
// judge says too often goes out.
func (l *Label) compare() {
	for i := 0; i+1 < len(l.Judgements); i += 2 {
		first, second := &l.Judgements[i], &l.Judgements[i+1]
		if !first.Alone {
			continue
		}
		odds := (first.LogProbs[0] - first.LogProbs[1]) - (second.LogProbs[0] - second.LogProbs[1])
		first.P = 1 / (1 + math.Exp(-odds))
		second.P = first.P
	}
}
