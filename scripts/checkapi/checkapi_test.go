package main

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const tinyHeader = `
#ifndef TINY_H
#include <stdint.h>
#ifdef  __cplusplus
extern "C" {
#endif
#ifdef __cplusplus
#    define LLAMA_NO 1
#else
#    define LLAMA_SIZE 4 // words
#endif
struct llama_model; /* opaque; with a brace { in a comment */
typedef int32_t llama_token;
typedef bool (*llama_progress)(float progress,
                               void * data);
enum llama_kind { LLAMA_KIND_NONE = -1, LLAMA_KIND_A, LLAMA_KIND_B = 1 << 3, LLAMA_KIND_C, };
typedef struct llama_pair { llama_token id; float words[LLAMA_SIZE]; } llama_pair;
struct llama_params {
    int32_t n_ctx;   // a comment
    struct llama_pair pair;
    const struct llama_model * draft;
    enum llama_kind kind;
    llama_progress progress;
};
LLAMA_API struct llama_model * llama_load(const char * path, struct llama_params params);
DEPRECATED(LLAMA_API void llama_old(struct llama_model * m),
           "use llama_new(), please");
static inline int llama_inline(int a) { return a; }
LLAMA_API int32_t llama_late(void);
#ifdef __cplusplus
}
#endif
#endif
`

const tinyBindings = `package llama

/*
#include "llama_of_another_name.h"
static int helper(struct llama_params p) { return llama_late(); } // not llama_comment
*/
import "C"

// Mentions llama_in_a_comment.
func f() { C.llama_load(nil, C.struct_llama_params{kind: C.LLAMA_KIND_C}); C.llama_old(nil); C.free(nil) }
`

// declared returns the golden file's content for these names and what they depend on.
func declared(t *testing.T, header string, names ...string) map[string]string {
	t.Helper()
	api, err := parseHeaders(header).api(names)
	if err != nil {
		t.Fatal(err)
	}
	return parseGolden(format(api))
}

var tinyNames = []string{"LLAMA_KIND_C", "llama_load", "llama_old"}

func TestDeclarationsAreNormalized(t *testing.T) {
	want := map[string]string{
		"llama_load":     "struct llama_model * llama_load(const char * path, struct llama_params params)",
		"llama_old":      "void llama_old(struct llama_model * m)",
		"llama_late":     "int32_t llama_late(void)",
		"llama_token":    "typedef int32_t llama_token",
		"llama_model":    "struct llama_model (opaque)",
		"llama_progress": "typedef bool(* llama_progress)(float progress, void * data)",
		"llama_pair":     "struct llama_pair {\n\tllama_token id;\n\tfloat words[LLAMA_SIZE];\n}",
		"llama_params": "struct llama_params {\n\tint32_t n_ctx;\n\tstruct llama_pair pair;\n\tconst struct llama_model * draft;\n" +
			"\tenum llama_kind kind;\n\tllama_progress progress;\n}",
		"LLAMA_KIND_NONE": "LLAMA_KIND_NONE = -1",
		"LLAMA_KIND_A":    "LLAMA_KIND_A = 0",
		"LLAMA_KIND_B":    "LLAMA_KIND_B = 8",
		"LLAMA_KIND_C":    "LLAMA_KIND_C = 9",
		"LLAMA_SIZE":      "#define LLAMA_SIZE 4",
	}
	got := declared(t, tinyHeader, slices.Collect(maps.Keys(want))...)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s is\n%s\nwant\n%s", name, got[name], text)
		}
	}
}

func TestUseIsFoundInGoAndInPreambles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bind.go"), []byte(tinyBindings), 0o644); err != nil {
		t.Fatal(err)
	}
	used, err := usedNames(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := "LLAMA_KIND_C llama_late llama_load llama_old llama_params"
	if got := strings.Join(used, " "); got != want {
		t.Errorf("used: %s, want %s", got, want)
	}
}

func TestChangesAreReported(t *testing.T) {
	tests := []struct{ name, old, new, report string }{
		{"a parameter more", "const char * path, struct", "const char * path, bool strict, struct", "llama_load: declared differently"},
		{"a field elsewhere", "int32_t n_ctx;   // a comment\n    struct llama_pair pair;", "struct llama_pair pair; int32_t n_ctx;", "llama_params: declared differently"},
		{"a field of a struct inside", "llama_token id; float", "float score; llama_token id; float", "llama_pair: declared differently"},
		{"the type behind a name", "int32_t llama_token", "int64_t llama_token", "llama_token: declared differently"},
		{"a callback's parameters", "void * data", "size_t n, void * data", "llama_progress: declared differently"},
		{"a value in between", "LLAMA_KIND_B = 1 << 3,", "LLAMA_KIND_B = 1 << 3, LLAMA_KIND_NEW,", "- LLAMA_KIND_C = 9\n+ LLAMA_KIND_C = 10"},
		{"the size of an array", "LLAMA_SIZE 4", "LLAMA_SIZE 8", "LLAMA_SIZE: declared differently"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			changed := strings.Replace(tinyHeader, test.old, test.new, 1)
			if changed == tinyHeader {
				t.Fatalf("%q is not in the header", test.old)
			}
			before, after := declared(t, tinyHeader, tinyNames...), declared(t, changed, tinyNames...)
			var out bytes.Buffer
			if n := printDifferences(&out, before, after); n != 1 || !strings.Contains(out.String(), test.report) {
				t.Errorf("%d differences, want 1 that says %q:\n%s", n, test.report, out.String())
			}
		})
	}
}

func TestChangesThatDoNotMatterAreNotReported(t *testing.T) {
	changes := [][2]string{
		{"// a comment", "// another one"},
		{"LLAMA_API int32_t llama_late", "LLAMA_API int32_t llama_later"}, // not used
		{"struct llama_model; ", "struct llama_model { int secret; };"},   // behind a pointer
		{"path, struct llama_params params", "path,\n\t\tstruct   llama_params params"},
	}
	before := declared(t, tinyHeader, tinyNames...)
	for _, change := range changes {
		changed := strings.Replace(tinyHeader, change[0], change[1], 1)
		if changed == tinyHeader {
			t.Fatalf("%q is not in the header", change[0])
		}
		after := declared(t, changed, tinyNames...)
		var out bytes.Buffer
		if n := printDifferences(&out, before, after); n != 0 {
			t.Errorf("%q for %q: reported\n%s", change[1], change[0], out.String())
		}
	}
}

func TestRunWritesComparesAndNamesWhatIsGone(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	check := func(update bool) error {
		return run(filepath.Join(dir, "include"), filepath.Join(dir, "bind"), filepath.Join(dir, "testdata", "api.golden"), update, io.Discard)
	}
	write("include/tiny.h", tinyHeader)
	write("bind/bind.go", tinyBindings)
	if err := check(true); err != nil {
		t.Fatal(err)
	}
	if err := check(false); err != nil {
		t.Errorf("nothing changed, yet: %v", err)
	}
	write("include/tiny.h", strings.Replace(tinyHeader, "int32_t llama_late(void)", "int64_t llama_late(void)", 1))
	if err := check(false); err == nil {
		t.Error("llama_late returns another type, and nothing was reported")
	}
	write("include/tiny.h", strings.Replace(tinyHeader, "llama_old(", "llama_renamed(", 1))
	if err := check(false); err == nil || !strings.Contains(err.Error(), "llama_old") {
		t.Errorf("error %v does not name llama_old", err)
	}
}
