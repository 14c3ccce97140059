// Package workload has the benchmark's workloads: conversations of fixed
// lengths over random token ids, so that every engine does the same work. They
// stand in workloads.json, with the counts that any driver must arrive at.
//
// A workload is rows of turns. A turn's prompt is written as parts, literal
// tokens or the whole output of an earlier turn of its row, so that a driver
// needs nothing but Row.Prompt to know what to send next.
package workload

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"amend/cmd/amend/internal/failure"
)

//go:embed workloads.json
var file []byte

// Token is a token id of the model's vocabulary.
type Token = int32

// Spec is a workload as workloads.json has it.
type Spec struct {
	About    string            `json:"about"`
	Lengths  Lengths           `json:"lengths"`
	Orders   []string          `json:"orders"` // variants of it, the default first
	Expected map[string]Counts `json:"expected"`
}

// Lengths are a workload's sizes, in tokens except for Rows, Rounds and
// Principles. A workload uses those that its kind has; the others are 0.
type Lengths struct {
	Rows            int `json:"rows" yaml:"rows"`
	Preamble        int `json:"preamble" yaml:"preamble"` // shared by all rows
	Prompt          int `json:"prompt" yaml:"prompt"`
	Response        int `json:"response,omitempty" yaml:"response"`
	Rounds          int `json:"rounds,omitempty" yaml:"rounds"`
	Principles      int `json:"principles,omitempty" yaml:"principles"`
	CritiqueRequest int `json:"critique_request,omitempty" yaml:"critique-request"`
	Critique        int `json:"critique,omitempty" yaml:"critique"`
	RevisionRequest int `json:"revision_request,omitempty" yaml:"revision-request"`
	Revision        int `json:"revision,omitempty" yaml:"revision"`
	Option          int `json:"option,omitempty" yaml:"option"`
	Principle       int `json:"principle,omitempty" yaml:"principle"`
}

// most is the longest of a workload's lengths.
const most = 1 << 20

// Validate checks each length by itself. Its errors are *failure.FieldError.
func (l Lengths) Validate() error {
	return errors.Join(
		failure.Range("rows", l.Rows, 0, most),
		failure.Range("preamble", l.Preamble, 0, most),
		failure.Range("prompt", l.Prompt, 0, most),
		failure.Range("response", l.Response, 0, most),
		failure.Range("rounds", l.Rounds, 0, most),
		failure.Range("principles", l.Principles, 0, most),
		failure.Range("critique-request", l.CritiqueRequest, 0, most),
		failure.Range("critique", l.Critique, 0, most),
		failure.Range("revision-request", l.RevisionRequest, 0, most),
		failure.Range("revision", l.Revision, 0, most),
		failure.Range("option", l.Option, 0, most),
		failure.Range("principle", l.Principle, 0, most),
	)
}

// Counts are what a workload asks of an engine; workloads.json defines each.
type Counts struct {
	Turns        int `json:"turns"`
	PromptTokens int `json:"prompt_tokens"`
	Distinct     int `json:"distinct"`
	Decoded      int `json:"decoded"`
}

// Specs reads workloads.json: the workloads by name, and what the counters
// mean.
func Specs() (specs map[string]Spec, counters map[string]string, err error) {
	var f struct {
		Counters  map[string]string `json:"counters"`
		Workloads map[string]Spec   `json:"workloads"`
	}
	if err := json.Unmarshal(file, &f); err != nil {
		return nil, nil, fmt.Errorf("reading workloads.json: %w", err)
	}
	return f.Workloads, f.Counters, nil
}

// Workload is rows to run, made of a Spec's kind, lengths and order.
type Workload struct {
	Name, Order string
	Lengths     Lengths
	Preamble    []Token // every prompt starts with it
	Rows        []Row
}

// Row is one conversation, or a tree of them: turns, each after those it is
// made from.
type Row struct {
	Turns []Turn
}

// Turn is a prompt and how many tokens to generate after it.
type Turn struct {
	Parts  []Part
	Decode int
}

// Part is a piece of a prompt: Tokens, or where Tokens is nil all tokens that
// turn number Output of the same row generated.
type Part struct {
	Tokens []Token
	Output int
}

// Prompt is the prompt of a row's turn. outputs are what its turns generated
// so far, by number.
func (r *Row) Prompt(turn int, outputs [][]Token) []Token {
	var out []Token
	for _, p := range r.Turns[turn].Parts {
		if p.Tokens != nil {
			out = append(out, p.Tokens...)
		} else {
			out = append(out, outputs[p.Output]...)
		}
	}
	return out
}

// After lists the turns whose outputs a turn's prompt has.
func (r *Row) After(turn int) []int {
	var out []int
	for _, p := range r.Turns[turn].Parts {
		if p.Tokens == nil {
			out = append(out, p.Output)
		}
	}
	return out
}

// New makes a workload. vocab is the size of the model's vocabulary; equal
// seeds give equal tokens.
func New(name, order string, l Lengths, vocab int, seed uint64) (*Workload, error) {
	specs, _, err := Specs()
	if err != nil {
		return nil, err
	}
	spec, ok := specs[name]
	if !ok {
		return nil, fmt.Errorf("there is no workload %q; there are loop, fanout and feedback", name)
	}
	if order == "" {
		order = spec.Orders[0]
	}
	if !slices.Contains(spec.Orders, order) {
		return nil, fmt.Errorf("workload %s has no order %q; there are %v", name, order, spec.Orders)
	}
	if l.Rows < 1 || l.Prompt < 1 {
		return nil, fmt.Errorf("workload %s of %d rows with prompts of %d tokens: both must be at least 1", name, l.Rows, l.Prompt)
	}
	m := maker{Lengths: l, order: order, low: min(1000, vocab/4), high: min(20000, vocab), rng: rand.New(rand.NewPCG(seed, 1))}
	w := &Workload{Name: name, Order: order, Lengths: l, Preamble: m.tokens(l.Preamble)}
	m.preamble = w.Preamble
	for range l.Rows {
		w.Rows = append(w.Rows, m.row(name))
	}
	if len(w.Rows[0].Turns) == 0 {
		return nil, fmt.Errorf("workload %s of these lengths has no turns", name)
	}
	for i, t := range w.Rows[0].Turns {
		if t.Decode < 1 {
			return nil, fmt.Errorf("workload %s: turn %d generates nothing: responses, critiques and revisions must be at least 1 token", name, i)
		}
	}
	return w, nil
}

// Longest is the most tokens that a turn's prompt and output take together.
func (w *Workload) Longest() int {
	longest := 0
	w.each(func(r *Row, turn, prompt int) { longest = max(longest, prompt+r.Turns[turn].Decode) })
	return longest
}

// each visits all turns with the lengths of their prompts.
func (w *Workload) each(visit func(r *Row, turn, prompt int)) {
	for i := range w.Rows {
		r := &w.Rows[i]
		for t := range r.Turns {
			n := 0
			for _, p := range r.Turns[t].Parts {
				if p.Tokens != nil {
					n += len(p.Tokens)
				} else {
					n += r.Turns[p.Output].Decode
				}
			}
			visit(r, t, n)
		}
	}
}
