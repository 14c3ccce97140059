package engine

import (
	"context"
	"errors"
)

// Token is a token id of the model's vocabulary.
type Token = int32

// Input is one token of a batch: where it goes, and whether logits are wanted
// after it.
type Input struct {
	Token  Token
	Pos    int32
	Seq    int
	Logits bool
}

// Backend is what the engine needs of a model: one context with its KV cache.
// The llama.cpp one is made in cmd from engine/llama; enginetest has one
// without cgo. All calls come from the goroutine that runs the engine.
type Backend interface {
	// Limits returns the sizes of the context; they never change.
	Limits() Limits

	// Decode computes a batch of at most Limits().Batch tokens. The inputs of
	// a sequence are in ascending order of position, each the next after what
	// the cache holds of it.
	//
	// It returns ErrNoSlot, and has changed nothing, when the cache has no
	// room; ErrFatal when the context cannot be used any more; an error that
	// wraps ctx's when ctx ended, after which the cache is undefined.
	Decode(ctx context.Context, batch []Input) error

	// Logits returns the logits after input i of the last batch, one for each
	// token of the vocabulary. The slice may be overwritten by the next Decode.
	Logits(i int) ([]float32, error)

	// Copy makes the empty sequence dst hold the first n positions of src.
	// It returns false, leaving dst empty, when this model's memory cannot be
	// copied at that point, or has lost what the token at n attends to (a sliding
	// window in unified cells).
	Copy(src, dst, n int) bool

	// Attach makes the empty sequence dst go on behind src, reading what that
	// holds without a copy, until dst is cut to nothing. It returns false, leaving
	// dst empty, where the backend cannot. Neither src nor dst can then be cut
	// inside of what they share.
	Attach(src, dst int) bool

	// Cut removes all positions of seq from n on. It returns false, having
	// changed nothing, when this model's memory cannot be cut there, for the
	// reasons that Copy has; n = 0 always works.
	Cut(seq, n int) bool

	// Positions returns the first and last position that the cache holds of a
	// sequence, −1 and −1 when it is empty.
	Positions(seq int) (first, last int)

	// SaveSequence returns a copy of what the cache holds of a sequence, for
	// RestoreSequence: as many bytes as its cells take. It fails where that
	// would not be all of the sequence.
	SaveSequence(seq int) ([]byte, error)

	// RestoreSequence fills an empty sequence with what SaveSequence returned,
	// of a context with the same Fingerprint. After an error it is empty.
	RestoreSequence(seq int, state []byte) error
}

// Limits are the sizes of a Backend.
type Limits struct {
	Sequences int // sequence ids are 0 … Sequences−1
	Context   int // cells one sequence can fill
	// Shared is how many tokens a pinned prefix may have that sequences read
	// beside cells of their own, with Attach; 0 where they hold copies.
	Shared  int
	Cells   int  // cells of all sequences together
	Unified bool // sequences share cells: a copy is free
	// Uncuttable memories keep a state in place of cells (recurrent and hybrid
	// models): a sequence can be copied and dropped whole, not in part.
	Uncuttable bool
	Batch      int // most tokens in one Decode
	Outputs    int // most tokens of one Decode with logits; 0 for all
}

// Vocab is what the engine needs to know of tokens.
type Vocab interface {
	// Piece returns the bytes that a token adds to the text.
	Piece(Token) []byte
	// Ends reports whether a token ends the turn.
	Ends(Token) bool
}

// ErrNoSlot is returned by a Backend when the KV cache has no room for a
// batch (llama_decode returned 1). Nothing was changed.
var ErrNoSlot = errors.New("no room in the KV cache for this batch")

// ErrFatal is returned by a Backend whose context cannot be used any more
// (llama_decode returned less than −1).
var ErrFatal = errors.New("the model's context failed and cannot be used any more")
