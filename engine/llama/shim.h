// The C side of package llama: calls that may throw a C++ exception, with the
// exception caught, and the callbacks that llama.cpp calls.
//
// An exception must not unwind through Go frames: it would end the process.
#ifndef AMEND_SHIM_H
#define AMEND_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#include "llama.h"

#ifdef __cplusplus
extern "C" {
#endif

// What a call returns that threw; no such call returns it otherwise. The
// exception's text is logged as an error line.
#define AMEND_THREW (INT32_MIN + 1)

// Log: amend_log_install makes llama.cpp and ggml log through amendLog (Go).
// Lines below the level set with amend_log_level do not reach Go.
void amend_log_install(uintptr_t sink);
void amend_log_level(int level);

// Backends: loads the backend libraries beside libllama when none is linked
// in (GGML_BACKEND_DL builds), then llama_backend_init.
void amend_backend_init(void);

// The features of a device's backend, as "NAME=VALUE" pairs: returns the i-th
// name and stores its value, or NULL after the last.
const char * amend_device_feature(ggml_backend_dev_t dev, int i, const char ** value);

// Abort flag: one int in C memory that llama_decode polls.
int * amend_flag_new(void);
void  amend_flag_set(int * flag, int value);
void  amend_flag_free(int * flag);
void  amend_abort_install(struct llama_context * ctx, int * flag);

// A thread that computes, with workers-1 others: whichever thread asks, a context
// computes on the same ones. With as many as the process may use CPUs, each is bound
// to one (Linux). Returns NULL when there is no thread to be had. One call at a time.
// A context must be freed before its thread.
typedef struct amend_thread amend_thread;

amend_thread * amend_thread_new(int32_t workers);
void           amend_thread_free(amend_thread * thread);

// The calls. progress is a cgo.Handle passed back to amendProgress.
struct llama_model * amend_model_load(const char * path, struct llama_model_params params, uintptr_t progress);
struct llama_context * amend_context_new(struct llama_model * model, struct llama_context_params params, amend_thread * thread);
struct llama_adapter_lora * amend_adapter_load(struct llama_model * model, const char * path);

// With stack above 0, amend_tokenize runs on a thread with a stack of that many bytes.
int32_t amend_tokenize(const struct llama_vocab * vocab, const char * text, int32_t len,
                       llama_token * tokens, int32_t max, bool add_special, bool parse_special, size_t stack);
int32_t amend_piece(const struct llama_vocab * vocab, llama_token token, char * buf, int32_t max, bool special);

int32_t amend_decode(amend_thread * thread, struct llama_context * ctx, struct llama_batch batch);
size_t  amend_state_size(struct llama_context * ctx, llama_seq_id seq);
size_t  amend_state_get(struct llama_context * ctx, uint8_t * dst, size_t size, llama_seq_id seq);
size_t  amend_state_set(struct llama_context * ctx, const uint8_t * src, size_t size, llama_seq_id seq);
int32_t amend_set_adapters(struct llama_context * ctx, struct llama_adapter_lora ** adapters, size_t n, float * scales);
int32_t amend_quantize(const char * in, const char * out, const llama_model_quantize_params * params);

// Grammar: a llama_sampler_init_grammar and the memory to ask it with. It refers
// to the vocabulary.
typedef struct amend_grammar amend_grammar;

amend_grammar * amend_grammar_new(const struct llama_vocab * vocab, const char * text, const char * root);
amend_grammar * amend_grammar_clone(const amend_grammar * grammar);
void            amend_grammar_free(amend_grammar * grammar);

// Finds the tokens that may come next, out of n, and sets allowed[token] of each
// to 1; returns how many there are, or stops behind limit. A token at i is the
// start of those up to skip[i]: where it may not come, these are not tried.
int32_t amend_grammar_find(amend_grammar * grammar, const llama_token * order, const int32_t * skip, int32_t n,
                           int32_t limit, uint8_t * allowed);

// Whether a token may come next: 1 or 0.
int32_t amend_grammar_allows(amend_grammar * grammar, llama_token token);

// Takes the next token, which must be one that may come: else llama.cpp aborts
// or throws, and the grammar has no state any more. Returns 0.
int32_t amend_grammar_accept(amend_grammar * grammar, llama_token token);

#ifdef __cplusplus
}
#endif

#endif
