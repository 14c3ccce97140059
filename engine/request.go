package engine

import (
	"amend/engine/sample"
	"fmt"
)

// Request asks for one turn: the model continues Tokens.
type Request struct {
	// Tokens is the whole conversation, up to where the turn starts. The
	// engine finds by itself how much of it is in the KV cache.
	Tokens []Token
	// MaxTokens is the most tokens to generate, at least 1.
	MaxTokens int
	// Stop are strings that end the turn; they are not part of its text.
	Stop []string
	// Sampling says how tokens are drawn.
	Sampling sample.Params
	// Grammar, if set, makes a grammar that stands at its start, to restrict
	// what the turn may say. It is called whenever the turn is started, on the
	// engine's goroutine, and the engine closes what it gets.
	Grammar func() (sample.Grammar, error)
	// IgnoreEnd goes on after tokens that would end the turn: for benchmarks
	// with fixed lengths.
	IgnoreEnd bool
	// LogProbs asks for the log-probability of every generated token.
	LogProbs bool
	// Seed starts the turn's own random stream. Equal requests with equal
	// seeds give equal tokens, whatever else is in the batch.
	Seed uint64
	// Said, if set, is told the turn's text so far after every token, on the engine's goroutine. The text may end inside a
	// UTF-8 character. A turn that had to be started again tells its text again. The bytes are not to be kept.
	Said func(text []byte)
	// Done receives the result, once, on the engine's goroutine. It may
	// Submit further requests.
	Done func(Result)

	scoring *scoring // set where given tokens are scored and none is generated
}

// firstOutput is the position of the first token after which logits are wanted.
func (r *Request) firstOutput() int {
	if r.scoring != nil {
		return r.scoring.from
	}
	return len(r.Tokens) - 1
}

// End says why a turn ended.
type End string

const (
	// EndToken: the model ended its turn by itself.
	EndToken End = "end"
	// EndStop: a stop string came.
	EndStop End = "stop"
	// EndLength: MaxTokens were generated; the text is cut off.
	EndLength End = "length"
)

// Result is a finished turn.
type Result struct {
	Tokens []Token // generated, without a token that only ended the turn
	Text   string  // their bytes up to a stop string; may end inside a UTF-8 character
	End    End     // empty when Err is set
	// LogProbs are those of Tokens, at temperature 1 and before penalties; 0 for
	// one that a grammar left no choice about. nil unless asked for.
	LogProbs []float64
	Prompt   int   // tokens of the request
	Reused   int   // of these, found in the KV cache
	Decoded  int   // tokens sampled, the ending one included
	Err      error // the turn failed: a *TooLongError, sample.ErrLogits, ErrNoSlot, or ErrStopped
}

// TooLongError is the failure of a request that cannot fit.
type TooLongError struct {
	Prompt, MaxTokens int // what the request needs
	Context           int // what one sequence can hold
}

// Error gives the figures and what helps.
func (e *TooLongError) Error() string {
	return fmt.Sprintf("the turn needs %d tokens (%d of prompt, up to %d more), and one row may hold %d: raise ctx, or ask for less",
		e.Prompt+e.MaxTokens, e.Prompt, e.MaxTokens, e.Context)
}
