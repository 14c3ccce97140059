package revise

import (
	"math"
	"slices"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/check"
)

// Row is one input: a conversation to answer and revise.
type Row struct {
	// ID names the row in the run; unique.
	ID string
	// Index is the row's place among the inputs, from 0.
	Index int
	// Messages is the conversation; the last is the user's. A system message
	// may come first.
	Messages []chat.Message
	// Response, when not nil, is the response to start from; it is not
	// generated then.
	Response *string
	// Initial, when not nil, is the first response as another run generated it.
	Initial *InitialResponse
	// Attributes is what principles may ask of a row.
	Attributes constitution.Attributes
	// Sample says which of several rows of one input it is; nil where there is one.
	Sample *Sample
}

// InitialResponse is a row's first response in another run.
type InitialResponse struct {
	Turn  Turn
	Error string // why there is none
}

// Sample is one of several rows of one input.
type Sample struct {
	Of     string `json:"of"`     // the input's id
	Number int    `json:"number"` // from 1
}

// Record is the whole trace of a finished row, as the run directory keeps it.
type Record struct {
	ID     string  `json:"id"`
	Index  int     `json:"index"`
	Seed   uint64  `json:"seed,string"` // of this row: drawn from the run's seed and the id
	Sample *Sample `json:"sample,omitempty"`
	// Attributes is what principles may ask of the row.
	Attributes constitution.Attributes `json:"where,omitzero"`
	Messages   []chat.Message          `json:"messages"`
	Turns      []Turn                  `json:"turns"`
	// Gated is what a gate found beside its decisions, which are those of Turns; nil without a gate.
	Gated *Gated `json:"gated,omitempty"`
	// Error is why the row failed; its turns are those before the failure.
	Error string `json:"error,omitempty"`
}

// Turn is one turn of a row.
type Turn struct {
	Kind  Kind `json:"kind"`
	Round int  `json:"round"` // 0 for the first response, then 1 …
	// Try is 0 except for turns that follow a revision which the gate refused in this round.
	Try int `json:"try,omitempty"`
	// Principle is the id of the principle drawn for this round, and Request
	// what the model was asked; both empty for a response.
	Principle string `json:"principle,omitempty"`
	Request   string `json:"request,omitempty"`
	Text      string `json:"text"`
	// Think is what a thinking model wrote before its answer. It is in no
	// later turn.
	Think string `json:"think,omitempty"`
	// End is how the turn ended: end (by itself), stop (a stop string), length
	// (cut off at the limit), given (it came with the input).
	End   engine.End   `json:"end"`
	Flags []check.Flag `json:"flags,omitempty"`

	// Tokens are the kept ids, which the following turns were computed from.
	Tokens []engine.Token `json:"tokens"`
	// Retokenized is how many of Tokens were made again from text, since the
	// kept text ended inside a token.
	Retokenized int    `json:"retokenized,omitempty"`
	Prompt      int    `json:"prompt_tokens"`
	Reused      int    `json:"reused_tokens"`  // of the prompt, found in the KV cache
	Decoded     int    `json:"decoded_tokens"` // sampled, with those that were not kept
	Seed        uint64 `json:"seed,string"`    // of this turn
	// LogProb is the log-probability of all generated tokens together, at
	// temperature 1 and before penalties; with --logprobs.
	LogProb *float64 `json:"logprob,omitempty"`
	// Gate is what the gate decided of a revision; nil where there was none to pass.
	Gate *Decision `json:"gate,omitempty"`
}

// IsAnswer reports whether the turn answers the prompt, in place of what was there before: a first response, or a
// revision that no gate refused.
func (t Turn) IsAnswer() bool {
	return t.Kind != Critique && (t.Gate == nil || t.Gate.Refused == "")
}

// EndGiven marks a response that came with the input.
const EndGiven engine.End = "given"

// Answers are the first response and the revisions that took its place, in their order, without proposals that a gate
// refused.
func (r *Record) Answers() []Turn {
	var out []Turn
	for _, t := range r.Turns {
		if t.IsAnswer() {
			out = append(out, t)
		}
	}
	return out
}

// After returns the row's answer after a round: the newest revision of that round or of one before it, or the first
// response; ok is false when there is none.
func (r *Record) After(round int) (t Turn, ok bool) {
	for _, answer := range r.Answers() {
		if answer.Round <= round {
			t, ok = answer, true
		}
	}
	return t, ok
}

// Final returns the newest answer; ok is false when the row has none.
func (r *Record) Final() (t Turn, ok bool) { return r.After(math.MaxInt) }

// Clean reports whether the row's answer was found clean, so that a round was not begun, and no later verdict says otherwise.
func (r *Record) Clean() bool {
	if r.Gated == nil || r.Gated.Clean == 0 {
		return false
	}
	return !slices.ContainsFunc(r.Gated.Verdicts, func(v Verdict) bool { return v.Round >= r.Gated.Clean && !v.Clean() })
}
