// Checkapi compares what engine/llama uses of llama.cpp's C API with what the headers in
// lib/include declare. Cgo checks names and most types when it compiles, but not that a struct kept
// the fields whose defaults Go relies on, that an enum kept its numbers, or that a parameter kept
// its meaning: a changed declaration is to be read by a person.
//
//	scripts/go run ./scripts/checkapi            fails and prints what differs from the golden file
//	scripts/go run ./scripts/checkapi -update    writes the golden file, after such a reading
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	headers := flag.String("headers", "lib/include", "folder with llama.h, ggml*.h, gguf.h and amend_jinja.h")
	bindings := flag.String("bindings", "engine/llama", "folder of the Go package that uses them")
	golden := flag.String("golden", "engine/llama/testdata/api.golden", "the declarations the bindings were written for")
	update := flag.Bool("update", false, "write the golden file instead of comparing with it")
	flag.Parse()
	if err := run(*headers, *bindings, *golden, *update, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "checkapi:", err)
		os.Exit(1)
	}
}

// run compares, or with update writes; it returns an error when the two differ, after printing how.
func run(headers, bindings, golden string, update bool, out io.Writer) error {
	current, err := currentAPI(headers, bindings)
	if err != nil {
		return err
	}
	if update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			return err
		}
		return os.WriteFile(golden, format(current), 0o644)
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		return fmt.Errorf("%w (write it with -update)", err)
	}
	if n := printDifferences(out, parseGolden(text), current); n > 0 {
		return fmt.Errorf("%d declarations differ from %s; when the bindings fit them, run with -update", n, golden)
	}
	fmt.Fprintf(out, "checkapi: %d declarations as the bindings expect them\n", len(current))
	return nil
}

// currentAPI returns the declarations of everything the bindings use, by name, and of the structs,
// typedefs and constants that these depend on. Enums are compared by the constants that are used.
func currentAPI(headers, bindings string) (map[string]string, error) {
	paths, err := filepath.Glob(filepath.Join(headers, "*.h"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no headers in %s (make build puts them there)", headers)
	}
	var texts []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	used, err := usedNames(bindings)
	if err != nil {
		return nil, err
	}
	if len(used) == 0 {
		return nil, errors.New("no use of the C API found in " + bindings)
	}
	return parseHeaders(texts...).api(used)
}

// api collects the declarations of used and of what they depend on.
func (h *header) api(used []string) (map[string]string, error) {
	found := map[string]string{}
	var missing []string
	for queue := slices.Clone(used); len(queue) > 0; queue = queue[1:] {
		name := queue[0]
		if _, seen := found[name]; seen {
			continue
		}
		if text, ok := h.lookup(name); ok {
			found[name] = text
			for _, mentioned := range h.refers[name] {
				if text, ok := h.lookup(mentioned); ok && !strings.HasPrefix(text, "enum ") {
					queue = append(queue, mentioned)
				}
			}
		} else {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("the bindings use what the headers do not declare: %s", strings.Join(missing, ", "))
	}
	return found, nil
}

func (h *header) lookup(name string) (string, bool) {
	for _, kind := range []map[string]string{h.functions, h.types, h.constants} {
		if text, ok := kind[name]; ok {
			return text, true
		}
	}
	return "", false
}

// The golden file: for each name a line "name:", then its declaration, indented by a tab.
func format(api map[string]string) []byte {
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(api)) {
		fmt.Fprintf(&out, "%s:\n\t%s\n", name, strings.ReplaceAll(api[name], "\n", "\n\t"))
	}
	return []byte(out.String())
}

func parseGolden(text []byte) map[string]string {
	api := map[string]string{}
	name := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if body, ok := strings.CutPrefix(line, "\t"); ok {
			api[name] += body + "\n"
		} else {
			name = strings.TrimSuffix(line, ":")
		}
	}
	for name := range api {
		api[name] = strings.TrimSuffix(api[name], "\n")
	}
	return api
}

// printDifferences prints what changed, by name, and returns how many names did.
func printDifferences(out io.Writer, want, got map[string]string) int {
	names := map[string]bool{}
	for name := range want {
		names[name] = true
	}
	for name := range got {
		names[name] = true
	}
	n := 0
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, known := want[name]
		now, used := got[name]
		switch {
		case !known:
			fmt.Fprintf(out, "%s: used, but not in the golden file\n%s", name, prefixed("+ ", now))
		case !used:
			fmt.Fprintf(out, "%s: in the golden file, but not used any more\n", name)
		case before != now:
			fmt.Fprintf(out, "%s: declared differently\n%s%s", name, prefixed("- ", before), prefixed("+ ", now))
		default:
			continue
		}
		n++
	}
	return n
}

func prefixed(prefix, text string) string {
	return prefix + strings.ReplaceAll(text, "\n", "\n"+prefix) + "\n"
}
