#include "shim.h"

#include <atomic>
#include <cstdlib>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>

#include <dlfcn.h>
#include <pthread.h>

#include "ggml-backend.h"

// The Go functions that C calls (log.go, model.go).
extern "C" {
void amendLog(uintptr_t sink, int level, char * text);
bool amendProgress(uintptr_t load, float done);
}

namespace {

std::atomic<uintptr_t> log_sink{0};
std::atomic<int>       log_level{GGML_LOG_LEVEL_WARN};

void log_callback(ggml_log_level level, const char * text, void *) {
    // A continuation belongs to the line before it on the same thread.
    thread_local int line_level = GGML_LOG_LEVEL_NONE;
    if (level != GGML_LOG_LEVEL_CONT) {
        line_level = level;
    }
    if (line_level >= log_level.load(std::memory_order_relaxed)) {
        amendLog(log_sink.load(), level, const_cast<char *>(text));
    }
}

void log_exception(const char * call, const char * what) {
    const std::string line = std::string(call) + ": exception: " + what + "\n";
    log_callback(GGML_LOG_LEVEL_ERROR, line.c_str(), nullptr);
}

// guard returns call(), or failed when call throws.
template <typename T, typename F> T guard(const char * name, T failed, F call) {
    try {
        return call();
    } catch (const std::exception & e) {
        log_exception(name, e.what());
    } catch (...) {
        log_exception(name, "not a std::exception");
    }
    return failed;
}

// on_stack runs call, which must not throw, on a thread with that much stack.
void on_stack(size_t stack, std::function<void()> call) {
    pthread_attr_t attr;
    pthread_t      thread;
    auto start = [](void * call) -> void * {
        (*static_cast<std::function<void()> *>(call))();
        return nullptr;
    };
    pthread_attr_init(&attr);
    int err = pthread_attr_setstacksize(&attr, stack);
    if (err == 0) {
        err = pthread_create(&thread, &attr, start, &call);
    }
    pthread_attr_destroy(&attr);
    if (err != 0) {
        throw std::runtime_error("no thread with a stack of " + std::to_string(stack) + " bytes");
    }
    pthread_join(thread, nullptr);
}

bool progress_callback(float done, void * load) {
    return amendProgress(reinterpret_cast<uintptr_t>(load), done);
}

bool abort_callback(void * flag) {
    return static_cast<std::atomic<int> *>(flag)->load(std::memory_order_relaxed) != 0;
}

std::atomic<int> * as_atomic(int * flag) {
    static_assert(sizeof(std::atomic<int>) == sizeof(int), "the flag is one int");
    return reinterpret_cast<std::atomic<int> *>(flag);
}

// The folder libllama was loaded from, or "" when that is not known.
std::string library_dir() {
    Dl_info info;
    if (dladdr(reinterpret_cast<void *>(&llama_backend_init), &info) == 0 || info.dli_fname == nullptr) {
        return "";
    }
    const std::string path = info.dli_fname;
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

} // namespace

extern "C" {

void amend_log_install(uintptr_t sink) {
    log_sink.store(sink);
    llama_log_set(log_callback, nullptr);
}

void amend_log_level(int level) {
    log_level.store(level);
}

void amend_backend_init(void) {
    guard("backend init", 0, [] {
        if (ggml_backend_reg_count() == 0) {
            const std::string dir = library_dir();
            ggml_backend_load_all_from_path(dir.empty() ? nullptr : dir.c_str());
        }
        llama_backend_init();
        return 0;
    });
}

const char * amend_device_feature(ggml_backend_dev_t dev, int i, const char ** value) {
    ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(dev);
    auto get = reinterpret_cast<ggml_backend_get_features_t>(
        ggml_backend_reg_get_proc_address(reg, "ggml_backend_get_features"));
    if (get == nullptr) {
        return nullptr;
    }
    // The list ends with a NULL name; i only grows by one from 0.
    const ggml_backend_feature * features = get(reg);
    *value = features[i].value;
    return features[i].name;
}

int * amend_flag_new(void) {
    return static_cast<int *>(calloc(1, sizeof(int)));
}

void amend_flag_set(int * flag, int value) {
    as_atomic(flag)->store(value, std::memory_order_relaxed);
}

void amend_flag_free(int * flag) {
    free(flag);
}

void amend_abort_install(llama_context * ctx, int * flag) {
    llama_set_abort_callback(ctx, abort_callback, flag);
}

llama_model * amend_model_load(const char * path, llama_model_params params, uintptr_t progress) {
    params.progress_callback           = progress_callback;
    params.progress_callback_user_data = reinterpret_cast<void *>(progress);
    return guard("model load", static_cast<llama_model *>(nullptr),
                 [&] { return llama_model_load_from_file(path, params); });
}

llama_context * amend_context_new(llama_model * model, llama_context_params params) {
    return guard("context", static_cast<llama_context *>(nullptr),
                 [&] { return llama_init_from_model(model, params); });
}

llama_adapter_lora * amend_adapter_load(llama_model * model, const char * path) {
    return guard("adapter load", static_cast<llama_adapter_lora *>(nullptr),
                 [&] { return llama_adapter_lora_init(model, path); });
}

int32_t amend_tokenize(const llama_vocab * vocab, const char * text, int32_t len, llama_token * tokens, int32_t max,
                       bool add_special, bool parse_special, size_t stack) {
    auto tokenize = [&] {
        return guard("tokenize", AMEND_THREW,
                     [&] { return llama_tokenize(vocab, text, len, tokens, max, add_special, parse_special); });
    };
    if (stack == 0) {
        return tokenize();
    }
    return guard("tokenize", AMEND_THREW, [&] {
        int32_t n = AMEND_THREW;
        on_stack(stack, [&] { n = tokenize(); });
        return n;
    });
}

int32_t amend_detokenize(const llama_vocab * vocab, const llama_token * tokens, int32_t n, char * text, int32_t max,
                         bool remove_special, bool unparse_special) {
    return guard("detokenize", AMEND_THREW,
                 [&] { return llama_detokenize(vocab, tokens, n, text, max, remove_special, unparse_special); });
}

int32_t amend_piece(const llama_vocab * vocab, llama_token token, char * buf, int32_t max, bool special) {
    return guard("token to piece", AMEND_THREW,
                 [&] { return llama_token_to_piece(vocab, token, buf, max, 0, special); });
}

int32_t amend_decode(llama_context * ctx, llama_batch batch) {
    return guard("decode", AMEND_THREW, [&] { return llama_decode(ctx, batch); });
}

int32_t amend_encode(llama_context * ctx, llama_batch batch) {
    return guard("encode", AMEND_THREW, [&] { return llama_encode(ctx, batch); });
}

size_t amend_state_size(llama_context * ctx, llama_seq_id seq) {
    return guard("state size", size_t(0), [&] { return llama_state_seq_get_size(ctx, seq); });
}

size_t amend_state_get(llama_context * ctx, uint8_t * dst, size_t size, llama_seq_id seq) {
    return guard("state save", size_t(0), [&] { return llama_state_seq_get_data(ctx, dst, size, seq); });
}

size_t amend_state_set(llama_context * ctx, const uint8_t * src, size_t size, llama_seq_id seq) {
    return guard("state restore", size_t(0), [&] { return llama_state_seq_set_data(ctx, src, size, seq); });
}

int32_t amend_set_adapters(llama_context * ctx, llama_adapter_lora ** adapters, size_t n, float * scales) {
    return guard("set adapters", AMEND_THREW, [&] { return llama_set_adapters_lora(ctx, adapters, n, scales); });
}

int32_t amend_quantize(const char * in, const char * out, const llama_model_quantize_params * params) {
    return guard("quantize", AMEND_THREW, [&] { return int32_t(llama_model_quantize(in, out, params)); });
}

} // extern "C"
