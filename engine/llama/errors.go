package llama

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNoSlot is returned by Decode when the KV cache has no room for the
	// batch (result 1). Nothing was changed: decode fewer tokens, or free some.
	ErrNoSlot = errors.New("no KV slot for the batch")
	// ErrAborted is returned by Decode when its context.Context ended while it
	// ran (result 2). Whole micro-batches that were done stay in the KV cache:
	// ask SeqPosMax how far each sequence got.
	ErrAborted = errors.New("aborted")
	// ErrInvalidBatch is returned by Decode when the batch cannot be computed
	// (result -1): it is empty, too long, or holds a token, a sequence or a
	// position that does not fit. Nothing was changed.
	ErrInvalidBatch = errors.New("invalid batch")
	// ErrFatal is returned by Decode when the computation failed (result below
	// -1). The context is not usable any more: close it and open another.
	ErrFatal = errors.New("fatal error in the context")
	// ErrBatchFull is returned by Batch.Add when the batch is full.
	ErrBatchFull = errors.New("batch full")
	// ErrClosed is returned by a method of a value that was closed.
	ErrClosed = errors.New("closed")
	// ErrInUse is returned by Close of a value that others still use.
	ErrInUse = errors.New("still in use")
	// ErrState is returned when a saved sequence state does not fit the context:
	// its cache has another type or layout, or no room.
	ErrState = errors.New("unusable sequence state")
)

// DecodeError says how Decode failed. errors.Is finds the one of
// ErrNoSlot, ErrAborted, ErrInvalidBatch and ErrFatal that fits Code, and, when
// aborted, the cause of the context.Context.
type DecodeError struct {
	// Code is llama_decode's result: 1, 2, -1, or below -1.
	Code int
	// Tokens is the length of the batch.
	Tokens int
	// Detail is the reason in words: llama.cpp's own error lines, or what was
	// found wrong before llama.cpp saw the batch. It may be empty.
	Detail string
	// Cause is why the context.Context ended, when Code is 2.
	Cause error
}

// Error implements error.
func (e *DecodeError) Error() string {
	s := fmt.Sprintf("llama: decode %d tokens: %v (result %d)", e.Tokens, e.kind(), e.Code)
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Unwrap gives errors.Is and errors.As the kind of failure and its cause.
func (e *DecodeError) Unwrap() []error {
	if e.Cause != nil {
		return []error{e.kind(), e.Cause}
	}
	return []error{e.kind()}
}

func (e *DecodeError) kind() error {
	switch {
	case e.Code == 1:
		return ErrNoSlot
	case e.Code == 2:
		return ErrAborted
	case e.Code == -1:
		return ErrInvalidBatch
	default:
		return ErrFatal
	}
}

// withLines appends llama.cpp's own error lines to a message.
func withLines(msg string, lines []string) string {
	if len(lines) == 0 {
		return msg
	}
	return msg + ": " + strings.Join(lines, "; ")
}

// contextError is why ctx ended: its error, with the cause where that says more.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == nil || errors.Is(cause, err) {
		return cause
	}
	return errors.Join(err, cause)
}
