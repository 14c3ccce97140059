#include "shim.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>

#include "ggml-backend.h"
#include "ggml-cpu.h"

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

// Tokens that a grammar is asked about at once: few at first, for who only wants
// to know if there are some; then as many as stay in the processor's cache with
// what llama.cpp makes of them.
constexpr size_t grammar_chunk_first = 32;
constexpr size_t grammar_chunk       = 1024;

// cpu_function finds a function of the CPU backend, which may be in a library that
// llama.cpp loads (GGML_BACKEND_DL).
template <typename F> F * cpu_function(const char * name) {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (cpu == nullptr) {
        return nullptr;
    }
    return reinterpret_cast<F *>(ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), name));
}

// bind gives each thread a CPU of its own where there are as many of both. Linux
// would else put two of them on the same CPU when another program keeps one busy
// (docs/benchmarks.md has the figures).
void bind(ggml_threadpool_params & params) {
#ifdef __linux__
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) != params.n_threads) {
        return;
    }
    for (int i = 0; i < std::min(GGML_MAX_N_THREADS, CPU_SETSIZE); i++) {
        params.cpumask[i] = CPU_ISSET(i, &allowed);
    }
    params.strict_cpu = true;
#else
    (void) params;
#endif
}

// new_pool makes the threads that compute with the one that calls it.
ggml_threadpool * new_pool(int32_t workers) {
    const auto make = cpu_function<decltype(ggml_threadpool_new)>("ggml_threadpool_new");
    if (make == nullptr) {
        return nullptr;
    }
    ggml_threadpool_params params = ggml_threadpool_params_default(workers);
    params.poll                   = 0; // between graphs they sleep
    bind(params);
    return make(&params);
}

} // namespace

// A thread, the call that it is to make, if any, and the threads that compute with it.
struct amend_thread {
    explicit amend_thread(int32_t workers) : thread([this] { serve(); }) {
        run([this, workers] { pool = new_pool(workers); });
    }

    ~amend_thread() {
        {
            const std::lock_guard<std::mutex> lock(mutex);
            ended = true;
        }
        changed.notify_all();
        thread.join();
        if (const auto free = cpu_function<decltype(ggml_threadpool_free)>("ggml_threadpool_free"); free != nullptr) {
            free(pool);
        }
    }

    // The threads that compute, the first of which is this one; NULL where there is no CPU backend.
    ggml_threadpool * workers() const { return pool; }

    // Makes the call, which must not throw, and waits for it.
    void run(std::function<void()> todo) {
        std::unique_lock<std::mutex> lock(mutex);
        call = std::move(todo);
        changed.notify_all();
        changed.wait(lock, [this] { return call == nullptr; });
    }

  private:
    void serve() {
        std::unique_lock<std::mutex> lock(mutex);
        while (true) {
            changed.wait(lock, [this] { return ended || call != nullptr; });
            if (ended) {
                return;
            }
            call(); // under the lock: who waits for it has nothing else to do
            call = nullptr;
            changed.notify_all();
        }
    }

    std::mutex              mutex;
    std::condition_variable changed;
    std::function<void()>   call;
    bool                    ended = false;
    ggml_threadpool *       pool  = nullptr;
    std::thread             thread; // last: it uses the others
};

struct amend_grammar {
    llama_sampler *  sampler;
    llama_token_data data[grammar_chunk];
    int32_t          at[grammar_chunk]; // where data's tokens are in the order
    std::vector<std::pair<int32_t, int32_t>> ranges; // of the order, still to be tried

    explicit amend_grammar(llama_sampler * sampler) : sampler(sampler) {}
    amend_grammar(const amend_grammar &) = delete;
    amend_grammar & operator=(const amend_grammar &) = delete;
    ~amend_grammar() { llama_sampler_free(sampler); }

    // fill takes the next tokens to try, at most max, and returns how many they are.
    size_t fill(const llama_token * order, const int32_t * skip, size_t max) {
        size_t n = 0;
        while (n < max && !ranges.empty()) {
            auto & [begin, end] = ranges.back();
            if (begin >= end) {
                ranges.pop_back();
                continue;
            }
            data[n] = {order[begin], 0.0f, 0.0f};
            at[n++] = begin;
            begin   = skip[begin];
        }
        return n;
    }

    // apply makes the logits of data's first n tokens -inf where they may not come.
    void apply(size_t n) {
        llama_token_data_array tokens = {data, n, -1, false};
        llama_sampler_apply(sampler, &tokens);
    }

    int32_t find(const llama_token * order, const int32_t * skip, int32_t size, int32_t limit, uint8_t * allowed) {
        int32_t count = 0;
        size_t  max   = grammar_chunk_first;
        ranges.assign(1, {0, size});
        for (size_t n; count <= limit && (n = fill(order, skip, max)) > 0; max = std::min(2 * max, grammar_chunk)) {
            apply(n);
            for (size_t i = 0; i < n; i++) {
                if (data[i].logit != 0.0f) {
                    continue;
                }
                allowed[data[i].id] = 1;
                count++;
                if (skip[at[i]] > at[i] + 1) {
                    ranges.emplace_back(at[i] + 1, skip[at[i]]);
                }
            }
        }
        return count;
    }
};

namespace {

// own makes a grammar of a sampler, which it frees when there is no memory.
amend_grammar * own(llama_sampler * sampler) {
    std::unique_ptr<llama_sampler, void (*)(llama_sampler *)> held(sampler, llama_sampler_free);
    if (held == nullptr) {
        return nullptr;
    }
    auto * grammar = new amend_grammar(held.get());
    held.release();
    return grammar;
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

llama_context * amend_context_new(llama_model * model, llama_context_params params, amend_thread * thread) {
    return guard("context", static_cast<llama_context *>(nullptr), [&] {
        llama_context * ctx = llama_init_from_model(model, params);
        if (ctx != nullptr && thread->workers() != nullptr) {
            llama_attach_threadpool(ctx, thread->workers(), thread->workers());
        }
        return ctx;
    });
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

int32_t amend_piece(const llama_vocab * vocab, llama_token token, char * buf, int32_t max, bool special) {
    return guard("token to piece", AMEND_THREW,
                 [&] { return llama_token_to_piece(vocab, token, buf, max, 0, special); });
}

amend_thread * amend_thread_new(int32_t workers) {
    return guard("thread", static_cast<amend_thread *>(nullptr), [&] { return new amend_thread(workers); });
}

void amend_thread_free(amend_thread * thread) {
    delete thread;
}

int32_t amend_decode(amend_thread * thread, llama_context * ctx, llama_batch batch) {
    int32_t code = AMEND_THREW;
    thread->run([&] { code = guard("decode", AMEND_THREW, [&] { return llama_decode(ctx, batch); }); });
    return code;
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

amend_grammar * amend_grammar_new(const llama_vocab * vocab, const char * text, const char * root) {
    return guard("grammar", static_cast<amend_grammar *>(nullptr),
                 [&] { return own(llama_sampler_init_grammar(vocab, text, root)); });
}

amend_grammar * amend_grammar_clone(const amend_grammar * grammar) {
    return guard("grammar clone", static_cast<amend_grammar *>(nullptr),
                 [&] { return own(llama_sampler_clone(grammar->sampler)); });
}

void amend_grammar_free(amend_grammar * grammar) {
    delete grammar;
}

int32_t amend_grammar_find(amend_grammar * grammar, const llama_token * order, const int32_t * skip, int32_t n,
                           int32_t limit, uint8_t * allowed) {
    return guard("grammar mask", AMEND_THREW, [&] { return grammar->find(order, skip, n, limit, allowed); });
}

int32_t amend_grammar_allows(amend_grammar * grammar, llama_token token) {
    return guard("grammar check", AMEND_THREW, [&] {
        grammar->data[0] = {token, 0.0f, 0.0f};
        grammar->apply(1);
        return int32_t(grammar->data[0].logit == 0.0f);
    });
}

int32_t amend_grammar_accept(amend_grammar * grammar, llama_token token) {
    return guard("grammar accept", AMEND_THREW, [&] {
        llama_sampler_accept(grammar->sampler, token);
        return int32_t(0);
    });
}

} // extern "C"
