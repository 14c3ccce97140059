package engine

import (
	"bytes"

	"amend/engine/internal/ngram"
	"amend/engine/sample"
)

// turn is a request that has a sequence.
type turn struct {
	request *Request
	seq     int
	order   int // admissions before it, to tell the youngest
	room    int // the most tokens its sequence may hold
	sampler *sample.Sampler

	drafter *ngram.Drafter // drafts what comes next; nil without speculation
	// outputsFrom is the position from which on logits are wanted.
	outputsFrom int

	reused    int
	decoded   int
	generated []Token
	logProbs  []float64 // of generated, where the request wants them
	text      []byte
	textEnd   int // where the text ends before a stop string; len(text) without one
}

func newTurn(r *Request, seq, reused, order, room int) *turn {
	return &turn{
		request: r, seq: seq, order: order, room: room, reused: reused, outputsFrom: r.firstOutput(),
		sampler: sample.New(r.Sampling, r.Seed),
	}
}

// length is the tokens of the sequence so far: the prompt and what was
// generated.
func (t *turn) length() int { return len(t.request.Tokens) + len(t.generated) }

// at returns the token at a position of the sequence.
func (t *turn) at(pos int) Token {
	if n := len(t.request.Tokens); pos >= n {
		return t.generated[pos-n]
	}
	return t.request.Tokens[pos]
}

// mayGrow is how many tokens the turn may still put into its sequence.
func (t *turn) mayGrow() int { return t.request.MaxTokens - len(t.generated) }

// add takes a generated token, and says whether the turn ends with it.
func (t *turn) add(token Token, piece []byte) End {
	t.generated = append(t.generated, token)
	from := len(t.text)
	t.text = append(t.text, piece...)
	t.textEnd = len(t.text)
	for _, stop := range t.request.Stop {
		// A stop string can begin in earlier pieces, by at most its length less one.
		start := max(0, from-len(stop)+1)
		if i := bytes.Index(t.text[start:], []byte(stop)); stop != "" && i >= 0 {
			t.textEnd = min(t.textEnd, start+i)
		}
	}
	if t.request.Said != nil {
		t.request.Said(t.text[:t.textEnd])
	}
	switch {
	case t.textEnd < len(t.text):
		return EndStop
	case len(t.generated) == t.request.MaxTokens:
		return EndLength
	}
	return ""
}

func (t *turn) result(end End, err error) Result {
	return Result{
		Tokens: t.generated, Text: string(t.text[:t.textEnd]), End: end,
		LogProbs: t.logProbs,
		Prompt:   len(t.request.Tokens), Reused: t.reused, Decoded: t.decoded, Err: err,
	}
}
