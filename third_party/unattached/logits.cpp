// Runs a fixed timeline of decodes on a model, in every setting of the KV cache, and writes all logits as float32 to
// stdout, and what each setting did to stderr. scripts/unattached compares the logits of two builds of llama.cpp, so
// only functions that both have are called here. As "logits q4_0 MODEL TO" it writes a model in Q4_0 to run on, the type
// whose kernels are patched.
#include "llama.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

namespace {

constexpr int32_t n_threads = 2;
constexpr int32_t n_seqs    = 6;

using model_ptr   = std::unique_ptr<llama_model, decltype(&llama_model_free)>;
using context_ptr = std::unique_ptr<llama_context, decltype(&llama_free)>;
using part        = std::pair<llama_seq_id, int32_t>; // so many tokens of a sequence

void require(bool ok, const char * what) {
    if (!ok) {
        throw std::runtime_error(what);
    }
}

struct timeline {
    llama_context * ctx;
    llama_memory_t  mem     = llama_get_memory(ctx);
    int32_t         n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(ctx)));
    std::mt19937    random; // its seed is the same for every setting
    size_t          n_outputs = 0;

    std::array<llama_pos, n_seqs> pos = {};

    explicit timeline(llama_context * ctx) : ctx(ctx) {}

    // One batch of random tokens; each sequence has outputs at its last token and at every eighth before.
    void decode(const std::vector<part> & parts) {
        std::vector<llama_token>  tokens;
        std::vector<llama_pos>    positions;
        std::vector<llama_seq_id> seqs;
        std::vector<int8_t>       wanted;
        for (const auto & [seq, n] : parts) {
            for (int32_t i = n; i-- > 0;) {
                tokens.push_back(llama_token(random() % uint32_t(n_vocab)));
                positions.push_back(pos[seq]++);
                seqs.push_back(seq);
                wanted.push_back(i % 8 == 0);
            }
        }
        std::vector<int32_t>        n_seq_ids(seqs.size(), 1);
        std::vector<llama_seq_id *> seq_ids;
        for (auto & seq : seqs) {
            seq_ids.push_back(&seq);
        }
        require(llama_decode(ctx, { int32_t(tokens.size()), tokens.data(), nullptr, positions.data(), n_seq_ids.data(),
                                    seq_ids.data(), wanted.data() }) == 0, "llama_decode failed");
        for (size_t i = 0; i < wanted.size(); ++i) {
            if (wanted[i]) {
                write(llama_get_logits_ith(ctx, int32_t(i)));
            }
        }
    }

    void write(const float * logits) {
        require(logits != nullptr, "an output has no logits");
        for (int32_t i = 0; i < n_vocab; ++i) {
            require(std::isfinite(logits[i]), "a logit is no number");
        }
        require(fwrite(logits, sizeof(float), size_t(n_vocab), stdout) == size_t(n_vocab), "writing failed");
        n_outputs++;
    }

    void copy(llama_seq_id from, llama_seq_id to) {
        llama_memory_seq_cp(mem, from, to, -1, -1);
        pos[to] = pos[from];
    }

    // False where this kind of memory cannot be cut.
    bool cut(llama_seq_id seq, llama_pos p0) {
        const bool ok = llama_memory_seq_rm(mem, seq, p0, -1);
        pos[seq]      = ok ? p0 : pos[seq];
        return ok;
    }

    void restore_as(llama_seq_id from, llama_seq_id to) {
        std::vector<uint8_t> state(llama_state_seq_get_size(ctx, from));
        require(llama_state_seq_get_data(ctx, state.data(), state.size(), from) != 0, "a sequence was not saved");
        require(llama_state_seq_set_data(ctx, state.data(), state.size(), to) != 0, "a sequence was not restored");
        pos[to] = pos[from];
    }

    void repeat_from_state(const std::vector<part> & parts) {
        std::vector<uint8_t> state(llama_state_get_size(ctx));
        const auto           before = pos;
        require(llama_state_get_data(ctx, state.data(), state.size()) != 0, "the state was not saved");
        decode(parts);
        require(llama_state_set_data(ctx, state.data(), state.size()) != 0, "the state was not restored");
        pos = before;
        decode(parts);
    }

    // Returns how many cuts were refused.
    int run() {
        decode({ { 0, 200 } });
        decode({ { 0, 75 } });
        for (llama_seq_id seq = 1; seq <= 4; ++seq) {
            copy(0, seq);
        }
        for (int i = 0; i < 4; ++i) {
            decode({ { 0, 1 }, { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 1 } });
            decode({ { 0, 3 }, { 1, 3 }, { 2, 3 }, { 3, 3 }, { 4, 3 } });
        }
        decode({ { 0, 1 }, { 1, 5 }, { 2, 2 }, { 4, 40 } });
        decode({ { 1, 1 }, { 3, 1 }, { 4, 1 } });
        decode({ { 2, 1 } });

        int refused = 0;
        refused += !cut(1, 230);        // in what it has of another
        refused += !cut(2, pos[2] - 2); // in its own
        require(cut(3, 0), "a whole sequence was not removed");
        decode({ { 1, 1 }, { 2, 1 }, { 4, 1 } });
        decode({ { 1, 20 }, { 3, 50 } });
        decode({ { 0, 1 }, { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 1 } });

        restore_as(2, 5);
        decode({ { 2, 1 }, { 3, 1 }, { 5, 1 } });
        repeat_from_state({ { 0, 1 }, { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 1 }, { 5, 1 } });
        decode({ { 2, 3 }, { 4, 3 }, { 5, 3 } });
        return refused;
    }
};

// Returns how many logits it wrote, after those written before.
size_t run_setting(llama_model * model, bool unified, bool flash, ggml_type keys, size_t before) {
    llama_context_params params = llama_context_default_params();
    params.n_seq_max       = n_seqs;
    params.n_ctx           = n_seqs * 512;
    params.n_batch         = 256;
    params.n_ubatch        = 128; // so that a prefill is more than one
    params.n_threads       = n_threads;
    params.n_threads_batch = n_threads;
    params.kv_unified      = unified;
    params.flash_attn_type = flash ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    params.type_k          = keys;
    params.offload_kqv     = false; // a CPU alone: the patches to ggml are to its kernels
    params.op_offload      = false;
    fprintf(stderr, "%s, flash attention %s, keys %s: ", unified ? "unified" : "streams", flash ? "on" : "off",
            ggml_type_name(keys));

    const context_ptr ctx(llama_init_from_model(model, params), llama_free);
    if (!ctx) {
        fprintf(stderr, "skipped, as no context could be made\n");
        return 0;
    }
    timeline  line(ctx.get());
    const int refused = line.run();
    const size_t n_logits = line.n_outputs * size_t(line.n_vocab);
    fprintf(stderr, "%zu outputs, logits %zu to %zu, %d cuts refused\n", line.n_outputs, before + 1, before + n_logits,
            refused);
    return n_logits;
}

void log_errors(ggml_log_level level, const char * text, void *) {
    if (level == GGML_LOG_LEVEL_ERROR) {
        fputs(text, stderr);
    }
}

void quantize(const char * from, const char * to) {
    llama_model_quantize_params params = llama_model_quantize_default_params();
    params.ftype            = LLAMA_FTYPE_MOSTLY_Q4_0;
    params.allow_requantize = true;
    params.nthread          = n_threads;
    require(llama_model_quantize(from, to, &params) == 0, "the model could not be quantized");
}

void compute(const char * path) {
    llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = 0;
    const model_ptr model(llama_model_load_from_file(path, params), llama_model_free);
    require(model != nullptr, "the model could not be loaded");
    size_t n_logits = 0;
    for (bool unified : { false, true }) {
        for (bool flash : { false, true }) {
            for (ggml_type keys : { GGML_TYPE_F16, GGML_TYPE_Q8_0 }) {
                n_logits += run_setting(model.get(), unified, flash, keys, n_logits);
            }
        }
    }
    require(fflush(stdout) == 0, "writing failed");
}

} // namespace

int main(int argc, char ** argv) try {
    llama_log_set(log_errors, nullptr);
    if (argc == 4 && strcmp(argv[1], "q4_0") == 0) {
        quantize(argv[2], argv[3]);
        return 0;
    }
    require(argc == 2, "usage: logits MODEL, or logits q4_0 MODEL TO");
    compute(argv[1]);
    return 0;
} catch (const std::exception & error) {
    fprintf(stderr, "%s\n", error.what());
    return 1;
}
