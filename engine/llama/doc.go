// Package llama binds llama.cpp's C API. It is the only package of the program
// with import "C", and no C type leaves it.
//
// The types mirror llama.h: a Model holds weights and a Vocab, a Context is a
// model at work with its KV cache, a Batch is the input of one Context.Decode.
// Each method names the C function it calls; llama.h documents what is not said
// here.
//
//   - Every Model, Context, Batch, Adapter and Grammar must be closed. Close may be called
//     twice. Close what was made from a model before the model: Model.Close
//     refuses otherwise. One that is lost without Close is reported to the logger
//     with the place where it was opened.
//   - C result codes are typed errors, and quote llama.cpp's own error lines.
//   - llama.cpp aborts the process where an argument breaks its assertions.
//     Arguments are checked here before; a defect within it can still end the
//     process.
//   - Slices that Context.Logits and Context.Embedding return are views of C
//     memory, and end with the next Decode.
package llama
