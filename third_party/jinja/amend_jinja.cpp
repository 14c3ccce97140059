#include "amend_jinja.h"

#include "jinja/lexer.h"
#include "jinja/parser.h"
#include "jinja/runtime.h"
#include "jinja/value.h"
#include "json.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>

struct amend_jinja_template {
    std::string    source;
    jinja::program program;
};

namespace {

struct document_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The engine wraps every std::exception, bad_alloc included, in one of its own, so a failed allocation is noted where
// it happens. Restores the former handler when it goes out of scope.
class allocation_watch {
  public:
    allocation_watch() : former(std::set_new_handler(note)) { failed = false; }
    ~allocation_watch() { std::set_new_handler(former); }

    static bool saw_failure() { return failed; }

  private:
    static void note() {
        failed = true;
        throw std::bad_alloc();
    }

    static thread_local bool failed;
    std::new_handler         former;
};

thread_local bool allocation_watch::failed = false;

// A copy that the caller frees, or NULL without memory for it.
char * copy_message(const char * text) noexcept {
    const size_t size = std::strlen(text) + 1;
    char * copy = static_cast<char *>(std::malloc(size));
    if (copy != nullptr) {
        std::memcpy(copy, text, size);
    }
    return copy;
}

// Runs body and turns what it throws into a status and a message; failure is the status of an exception of the engine.
template <typename F>
amend_jinja_status guarded(amend_jinja_status failure, char ** error, F && body) noexcept {
    *error = nullptr;
    allocation_watch watch;
    const auto fail = [&](amend_jinja_status status, const char * message) {
        *error = copy_message(message);
        return allocation_watch::saw_failure() ? AMEND_JINJA_MEMORY : status;
    };
    try {
        body();
        return AMEND_JINJA_OK;
    } catch (const document_error & e) {
        return fail(AMEND_JINJA_DOCUMENT, e.what());
    } catch (const common_json_error & e) {
        return fail(AMEND_JINJA_DOCUMENT, e.what());
    } catch (const std::bad_alloc & e) {
        return fail(AMEND_JINJA_MEMORY, e.what());
    } catch (const std::exception & e) {
        return fail(failure, e.what());
    } catch (...) {
        return fail(failure, "an exception of unknown type");
    }
}

} // namespace

enum amend_jinja_status amend_jinja_parse(
        const char * source, size_t length, amend_jinja_template ** out, char ** error) {
    *out = nullptr;
    return guarded(AMEND_JINJA_SYNTAX, error, [&] {
        jinja::lexer lexer;
        const auto tokens = lexer.tokenize(std::string(source, length));
        *out = new amend_jinja_template{tokens.source, jinja::parse_from_tokens(tokens)};
    });
}

void amend_jinja_template_free(amend_jinja_template * tmpl) {
    delete tmpl;
}

enum amend_jinja_status amend_jinja_render(
        const amend_jinja_template * tmpl, const char * document, size_t length, int64_t now,
        char ** out, size_t * out_length, char ** error) {
    *out = nullptr;
    return guarded(AMEND_JINJA_RENDER, error, [&] {
        const auto json = common_json::parse(std::string(document, length));
        if (!json.is_object() || !json.contains("messages") || !json.at("messages").is_array()) {
            throw document_error("the document has no array \"messages\"");
        }
        jinja::context ctx(tmpl->source);
        ctx.current_time = static_cast<std::time_t>(now);
        jinja::global_from_json(ctx, json, false);

        const jinja::value results = jinja::runtime(ctx).execute(tmpl->program);
        const std::string text = jinja::runtime::gather_string_parts(results)->as_string().str();
        *out = static_cast<char *>(std::malloc(text.size() + 1));
        if (*out == nullptr) {
            throw std::bad_alloc();
        }
        std::memcpy(*out, text.data(), text.size());
        *out_length = text.size();
    });
}

void amend_jinja_string_free(char * string) {
    std::free(string);
}
