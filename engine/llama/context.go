package llama

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// Context is a model at work (llama_context): its KV cache, its compute buffers
// and the outputs of the last Decode. It computes on a thread of its own.
//
// One goroutine at a time may call its methods. The end of the context.Context
// given to Decode may come from any goroutine.
type Context struct {
	c       *C.struct_llama_context
	mem     C.llama_memory_t
	model   *Model
	params  ContextParams
	opened  *opened
	cleanup runtime.Cleanup
	abort   *C.int          // C memory, polled by llama_decode
	thread  *C.amend_thread // computes, with workers of its own

	outputs    []bool     // which tokens of the last Decode have an output
	embeddings bool       // every token has one
	outputsMax int        // most outputs of one Decode
	parallel   bool       // attention is not causal: a batch is one micro-batch
	pending    bool       // copies wait for the next Decode
	adapters   []*Adapter // set on this context
}

// NewContext makes a context (llama_init_from_model). Its error names the sizes
// asked for and what to change.
func (m *Model) NewContext(p ContextParams) (*Context, error) {
	if m.c == nil {
		return nil, m.closed("new context")
	}
	if m.only {
		return nil, fmt.Errorf("llama: new context: model %q was loaded without weights (VocabOnly)", m.path)
	}
	if err := p.check(m); err != nil {
		return nil, fmt.Errorf("llama: new context: %w", err)
	}
	params := p.c()
	thread := C.amend_thread_new(max(params.n_threads, params.n_threads_batch))
	if thread == nil {
		return nil, errors.New("llama: new context: the system gives no more threads")
	}
	abort := C.amend_flag_new()
	if abort == nil {
		C.amend_thread_free(thread)
		return nil, errors.New("llama: new context: out of memory")
	}
	mark := process.sink.mark()
	c := C.amend_context_new(m.c, params, thread)
	if c == nil {
		C.amend_flag_free(abort)
		C.amend_thread_free(thread)
		return nil, errors.New(withLines(fmt.Sprintf(
			"llama: new context of %d cells for %d sequences, %v keys, %v values, batch %d: not possible; use a smaller context, fewer sequences or a smaller KV type",
			p.Ctx, max(1, p.SeqMax), p.TypeK, p.TypeV, p.Batch), process.sink.errorsSince(mark)))
	}
	C.amend_abort_install(c, abort)
	x := &Context{c: c, mem: C.llama_get_memory(c), model: m, params: p, abort: abort, thread: thread, embeddings: p.Embeddings}
	x.outputsMax = p.OutputsMax
	if x.outputsMax == 0 {
		x.outputsMax = x.NBatch()
	}
	x.parallel = m.parallelAttention()
	x.opened = newOpened(fmt.Sprintf("context of %d cells", x.NCtx()))
	x.cleanup = reportLeak(x, x.opened)
	m.acquire(x.opened)
	return x, nil
}

// parallelAttention reports a model that reads a batch in both directions, which
// llama.cpp computes in one micro-batch and aborts when it is longer.
func (m *Model) parallelAttention() bool {
	arch, _ := m.Meta("general.architecture")
	causal, _ := m.Meta(arch + ".attention.causal")
	return causal == "false" || m.Diffusion() || m.HasEncoder() || arch == "gemma-embedding"
}

// Close frees the context (llama_free). Views that Logits and Embedding gave are
// not valid afterwards. Closing a closed context does nothing.
func (c *Context) Close() error {
	if c.c == nil {
		return nil
	}
	c.cleanup.Stop()
	C.llama_free(c.c)
	C.amend_flag_free(c.abort)
	C.amend_thread_free(c.thread)
	c.c, c.mem, c.abort, c.thread = nil, nil, nil, nil
	for _, a := range c.adapters {
		a.unset()
	}
	c.adapters, c.outputs = nil, nil
	c.model.release(c.opened)
	return nil
}

// Model is the model the context was made from.
func (c *Context) Model() *Model { return c.model }

// NCtx is the number of KV cells in use by the context (llama_n_ctx).
func (c *Context) NCtx() int { return c.get(func() C.uint32_t { return C.llama_n_ctx(c.c) }) }

// NCtxSeq is the most cells one sequence can take (llama_n_ctx_seq).
func (c *Context) NCtxSeq() int { return c.get(func() C.uint32_t { return C.llama_n_ctx_seq(c.c) }) }

// NBatch is the most tokens of one Decode (llama_n_batch).
func (c *Context) NBatch() int { return c.get(func() C.uint32_t { return C.llama_n_batch(c.c) }) }

// NUBatch is the most tokens computed at once (llama_n_ubatch).
func (c *Context) NUBatch() int { return c.get(func() C.uint32_t { return C.llama_n_ubatch(c.c) }) }

// NSeqMax is the number of sequences: their ids are 0 to NSeqMax-1
// (llama_n_seq_max).
func (c *Context) NSeqMax() int { return c.get(func() C.uint32_t { return C.llama_n_seq_max(c.c) }) }

// Threads is the number of threads for single tokens and for more than one
// (llama_n_threads, llama_n_threads_batch).
func (c *Context) Threads() (single, batch int) {
	if c.c == nil {
		return 0, 0
	}
	return int(C.llama_n_threads(c.c)), int(C.llama_n_threads_batch(c.c))
}

// Synchronize waits until all computation is done (llama_synchronize). Logits
// and Embedding do it themselves.
func (c *Context) Synchronize() {
	if c.c != nil {
		C.llama_synchronize(c.c)
	}
}

// SetEmbeddings says whether every token's hidden state is an output of the
// Decodes to come, beside the logits (llama_set_embeddings).
func (c *Context) SetEmbeddings(on bool) error {
	if c.c == nil {
		return c.closed("set embeddings")
	}
	C.llama_set_embeddings(c.c, C.bool(on))
	c.embeddings = on
	return nil
}

// Logits is the output for token i of the last Decode's batch, one number for
// each vocabulary entry (llama_get_logits_ith). It is a view of C memory: do not
// keep it beyond the next Decode, SetSeqState or Close.
func (c *Context) Logits(i int) ([]float32, error) {
	if err := c.hasOutput("logits", i); err != nil {
		return nil, err
	}
	p := C.llama_get_logits_ith(c.c, C.int32_t(i))
	if p == nil {
		return nil, fmt.Errorf("llama: logits of token %d: none were computed", i)
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(p)), c.model.vocab.size), nil
}

// Embedding is the hidden state for token i of the last Decode's batch, EmbdOut
// numbers (llama_get_embeddings_ith). It needs Embeddings, and is a view as
// Logits is.
func (c *Context) Embedding(i int) ([]float32, error) {
	if err := c.hasOutput("embedding", i); err != nil {
		return nil, err
	}
	if !c.embeddings {
		return nil, fmt.Errorf("llama: embedding of token %d: the context was made without embeddings", i)
	}
	p := C.llama_get_embeddings_ith(c.c, C.int32_t(i))
	if p == nil {
		return nil, fmt.Errorf("llama: embedding of token %d: none was computed", i)
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(p)), c.model.EmbdOut()), nil
}

// hasOutput checks that token i of the last Decode has an output.
func (c *Context) hasOutput(what string, i int) error {
	switch {
	case c.c == nil:
		return c.closed(what)
	case i < 0 || i >= len(c.outputs):
		return fmt.Errorf("llama: %s of token %d: the last decode had %d", what, i, len(c.outputs))
	case !c.outputs[i]:
		return fmt.Errorf("llama: %s of token %d: its output was not asked for", what, i)
	}
	return nil
}

func (c *Context) get(read func() C.uint32_t) int {
	if c.c == nil {
		return 0
	}
	return int(read())
}

func (c *Context) closed(doing string) error {
	return fmt.Errorf("llama: %s: context of model %q: %w", doing, c.model.path, ErrClosed)
}
