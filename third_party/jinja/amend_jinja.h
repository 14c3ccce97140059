// A plain C interface to the Jinja engine in llama.cpp's common/jinja: parse a chat template once, render it many
// times.
//
// Ownership: what a call returns through a pointer to a pointer belongs to the caller, who frees it with the function
// named beside it. Inputs are copied; none is kept after the call.
// Threads: a parsed template may be rendered by one thread at a time. No function lets a C++ exception out.
// Limits: there are none. A template can loop for ever or ask for all memory, so call these functions in a process
// that can be killed. strftime_now uses localtime: set TZ=UTC in that process for results that depend on nothing else.

#ifndef AMEND_JINJA_H
#define AMEND_JINJA_H

#include <stddef.h>
#include <stdint.h>

#if defined(AMEND_JINJA_BUILD) && defined(__GNUC__)
#define AMEND_JINJA_API __attribute__((visibility("default")))
#else
#define AMEND_JINJA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum amend_jinja_status {
    AMEND_JINJA_OK       = 0,
    AMEND_JINJA_SYNTAX   = 1, // the template is not valid Jinja, or uses what the engine does not know
    AMEND_JINJA_DOCUMENT = 2, // the document is not what amend_jinja_render asks for
    AMEND_JINJA_RENDER   = 3, // the template raised an exception, or an operation in it failed
    AMEND_JINJA_MEMORY   = 4, // an allocation failed
};

typedef struct amend_jinja_template amend_jinja_template;

// Parses source (length bytes, UTF-8). On success *out is set, to be freed with amend_jinja_template_free; otherwise
// *error is set to a message, to be freed with amend_jinja_string_free (it is NULL when there was no memory for one).
AMEND_JINJA_API enum amend_jinja_status amend_jinja_parse(
    const char * source, size_t length, amend_jinja_template ** out, char ** error);

AMEND_JINJA_API void amend_jinja_template_free(amend_jinja_template * tmpl);

// Renders with the members of document (a JSON object, length bytes) as the template's variables, and now (seconds
// since 1970, UTC) as the time that strftime_now reads. "messages" must be an array. On success *out is set to the text
// (*out_length bytes, which may include NUL), to be freed with amend_jinja_string_free; otherwise *error as above.
AMEND_JINJA_API enum amend_jinja_status amend_jinja_render(
    const amend_jinja_template * tmpl, const char * document, size_t length, int64_t now,
    char ** out, size_t * out_length, char ** error);

AMEND_JINJA_API void amend_jinja_string_free(char * string);

#ifdef __cplusplus
}
#endif

#endif
