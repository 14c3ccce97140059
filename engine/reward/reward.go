// Package reward has a preference model (Bai et al. 2022, section 4): what a judge's labels of pairs teach about single
// responses. A response's score is linear in the hidden states that a language model has over its tokens, and the
// probability that one of two responses is better is the logistic function of the difference of their scores (Bradley and
// Terry 1952).
package reward

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"amend/engine/split"
)

// Pooling says how the hidden states of a response's tokens become one vector.
type Pooling string

// The poolings.
const (
	Last Pooling = "last" // that of the last token
	Mean Pooling = "mean" // of all tokens
	// Sum is that of all tokens: what a sentence is worth does not hang on how many others stand beside it.
	Sum Pooling = "sum"
)

// Poolings lists the poolings.
func Poolings() []Pooling { return []Pooling{Last, Mean, Sum} }

// Features are a response's hidden states, pooled; both are as long as the model's states.
type Features struct {
	Last   []float32
	Mean   []float32
	Tokens int // of the response
}

// pooled puts them into out, which is as long.
func (f Features) pooled(p Pooling, out []float64) {
	from, times := f.Mean, 1.0
	switch p {
	case Last:
		from = f.Last
	case Sum:
		times = float64(f.Tokens)
	case Mean:
	}
	for i, v := range from {
		out[i] = times * float64(v)
	}
}

// Pair is two responses to one prompt, and the probability that the first one is better.
type Pair struct {
	Prompt string      // names it
	Place  split.Place // of the prompt: pairs of one prompt are never on both sides of a validation
	First  Features
	Second Features
	P      float64
}

// Format is the number of the layout of preference models that this version reads and writes.
const Format = 2

// Model scores responses. It is not changed after it is made, so many goroutines may use one.
type Model struct {
	Format int `json:"format"`
	// Split names the split of prompts (package split) that the model was trained by. It is empty in files that are older than
	// the name: such a model may have been trained on prompts that are held out now.
	Split string `json:"split,omitempty"`
	// States names the language model and the settings that its hidden states come from: those of another mean something else.
	States string `json:"states"`
	// Date is the one that the chat template was given (YYYY-MM-DD), which states depend on where it shows it.
	Date    string    `json:"date"`
	Pooling Pooling   `json:"pooling"`
	L2      float64   `json:"l2"` // strength of the penalty, chosen by cross-validation
	Weights []float64 `json:"weights"`
	// Prompts are the names of those that it was trained on, sorted: nothing that is measured over them is known of others.
	Prompts []string `json:"prompts"`
}

// TrainedOn reports whether pairs of a prompt were trained on.
func (m *Model) TrainedOn(prompt string) bool {
	_, found := slices.BinarySearch(m.Prompts, prompt)
	return found
}

// Score is a response's score: higher is better, and only differences between responses to one prompt mean anything.
func (m *Model) Score(f Features) (float64, error) {
	if n := len(m.Weights); len(f.Last) != n || len(f.Mean) != n {
		return 0, fmt.Errorf("the preference model is of hidden states of %d numbers, and these have %d and %d", n, len(f.Last), len(f.Mean))
	}
	x := make([]float64, len(m.Weights))
	f.pooled(m.Pooling, x)
	return floats.Dot(m.Weights, x), nil
}

// Compare is the probability that a pair's first response is the better one; its label is not looked at.
func (m *Model) Compare(p Pair) (float64, error) {
	first, err := m.Score(p.First)
	if err != nil {
		return 0, err
	}
	second, err := m.Score(p.Second)
	return 1 / (1 + math.Exp(second-first)), err
}

// Encode writes a model for Decode.
func (m *Model) Encode() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing a preference model: %w", err)
	}
	return append(text, '\n'), nil
}

// Of reports that a model is not of hidden states of this name: those of another model mean something else.
func (m *Model) Of(states string) error {
	if m.States != states {
		return fmt.Errorf("the preference model was trained on hidden states of %s, and these are of %s: train one for this model", m.States, states)
	}
	return nil
}

// Decode reads what Encode has written. Of says whether it belongs to a model.
func Decode(text []byte) (*Model, error) {
	var m Model
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("reading a preference model: %w", err)
	}
	switch {
	case m.Format != Format:
		return nil, fmt.Errorf("the preference model has format %d, and this amend reads format %d: train it again", m.Format, Format)
	case !slices.Contains(Poolings(), m.Pooling):
		return nil, fmt.Errorf("the preference model pools by %q: it must be one of %v", m.Pooling, Poolings())
	case len(m.Weights) == 0:
		return nil, fmt.Errorf("the preference model has no weights")
	}
	for i, w := range m.Weights {
		if math.IsNaN(w) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("weight %d of the preference model is no number", i)
		}
	}
	return &m, nil
}
