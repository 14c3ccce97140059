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
//   - GBNF grammars are read in Go before C sees them (gbnf.go). llama.cpp follows
//     left recursion until the stack ends, takes all memory for {3,1} or for
//     rules that can begin in very many ways, and prints its complaints to
//     stderr. A process that compiles a grammar under a limit would survive this,
//     but could only say that it died; the check names the line or the rule. It
//     costs a second reader of a small notation, which tests compare with
//     llama.cpp's own.
//   - Slices that Context.Logits and Context.Embedding return are views of C
//     memory, and end with the next Decode.
package llama
