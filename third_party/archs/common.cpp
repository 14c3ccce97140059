// The few functions of llama.cpp's common/ that tests/test-llama-archs.cpp calls, so that
// scripts/build-archs compiles two files and none of common/. Errors and what the program says
// about its use go to stderr; everything else that it logs is dropped.
#include "common.h"
#include "log.h"

#include <cstdarg>
#include <cstdio>

void common_init() {}

int common_log_get_verbosity_thold() { return LOG_LEVEL_ERROR; }

void common_log_set_verbosity_thold(int) {}

int common_log_get_verbosity(enum ggml_log_level level) {
    return level == GGML_LOG_LEVEL_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
}

struct common_log * common_log_main() { return nullptr; }

void common_log_flush(struct common_log *) {}

void common_log_add(struct common_log *, enum ggml_log_level, const char * format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}

void common_batch_add(llama_batch & batch, llama_token token, llama_pos pos, const std::vector<llama_seq_id> & seqs, bool logits) {
    const int32_t i = batch.n_tokens++;
    batch.token[i] = token;
    batch.pos[i] = pos;
    batch.logits[i] = logits;
    batch.n_seq_id[i] = int32_t(seqs.size());
    for (size_t s = 0; s < seqs.size(); ++s) {
        batch.seq_id[i][s] = seqs[s];
    }
}
