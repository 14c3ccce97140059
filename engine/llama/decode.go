package llama

// #include "shim.h"
import "C"

import (
	"context"
	"fmt"
	"strings"
)

// Decode computes a batch (llama_decode): its tokens enter the KV cache, and the
// outputs asked for can be read until the next Decode. The end of ctx aborts it
// between two operations, on the CPU only. A *DecodeError says what a result
// means for the cache.
func (c *Context) Decode(ctx context.Context, b *Batch) error {
	return c.compute(ctx, b, func() C.int32_t { return C.amend_decode(c.thread, c.c, b.c) })
}

func (c *Context) compute(ctx context.Context, b *Batch, call func() C.int32_t) error {
	if c.c == nil {
		return c.closed("decode")
	}
	if b.token == nil {
		return fmt.Errorf("llama: decode: batch: %w", ErrClosed)
	}
	c.outputs = c.outputs[:0]
	if detail := c.unfit(b); detail != "" {
		return &DecodeError{Code: -1, Tokens: b.Len(), Detail: detail}
	}
	if ctx.Err() != nil {
		return &DecodeError{Code: 2, Tokens: b.Len(), Cause: contextError(ctx)}
	}
	mark := process.sink.mark()
	stop := c.abortWith(ctx)
	code := int(call())
	stop()
	if code != -1 {
		c.pending = false
	}
	if code == 0 {
		c.noteOutputs(b)
		return nil
	}
	err := &DecodeError{Code: code, Tokens: b.Len()}
	if code == 2 {
		err.Cause = contextError(ctx)
	} else {
		err.Detail = strings.Join(process.sink.errorsSince(mark), "; ")
	}
	return err
}

// unfit says why b cannot be computed, where llama.cpp would abort the process
// or take what it should not.
func (c *Context) unfit(b *Batch) string {
	outputs := b.outputs
	if c.embeddings {
		outputs = b.Len()
	}
	switch n := b.Len(); {
	case n == 0:
		return "it is empty"
	case n > c.NBatch():
		return fmt.Sprintf("it is longer than the context's batch of %d", c.NBatch())
	case c.parallel && n > c.NUBatch():
		return fmt.Sprintf("it is longer than the micro-batch of %d, and the model reads a batch at once", c.NUBatch())
	case int(b.highest) >= c.NSeqMax():
		return fmt.Sprintf("sequence %d is not in 0 to %d", b.highest, c.NSeqMax()-1)
	case b.shared && c.streams():
		return "a token is in several sequences, and each has its own stream"
	case outputs > c.outputsMax:
		return fmt.Sprintf("%d outputs are wanted, and the context has room for %d", outputs, c.outputsMax)
	}
	return ""
}

// abortWith makes the end of ctx abort what runs in C until the function
// returned is called. That waits for the abort, if it came, so that the flag is
// neither set too late nor freed too early.
func (c *Context) abortWith(ctx context.Context) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	set := make(chan struct{})
	stopAfter := context.AfterFunc(ctx, func() {
		process.sink.expectAbort(1)
		C.amend_flag_set(c.abort, 1)
		close(set)
	})
	return func() {
		if !stopAfter() {
			<-set
			C.amend_flag_set(c.abort, 0)
			process.sink.expectAbort(-1)
		}
	}
}

// noteOutputs remembers which tokens have outputs: b may be refilled while they
// are read.
func (c *Context) noteOutputs(b *Batch) {
	for _, wanted := range b.output[:b.Len()] {
		c.outputs = append(c.outputs, wanted != 0 || c.embeddings)
	}
}
