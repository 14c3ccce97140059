package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A header is what C headers declare, by name, in a normal form: one space between tokens, no
// comments, no preprocessor lines, no export macros.
type header struct {
	functions map[string]string   // "int f(int a, char * b)"
	types     map[string]string   // structs with their fields, typedefs
	constants map[string]string   // enum constants with their values, #define of a value
	refers    map[string][]string // names a declaration depends on
}

// Macros that say how a symbol is exported or checked, not what its type is.
var noise = map[string]bool{
	"LLAMA_API": true, "GGML_API": true, "GGML_BACKEND_API": true, "AMEND_JINJA_API": true,
	"GGML_CALL": true, "GGML_NORETURN": true, "GGML_RESTRICT": true, "extern": true,
}

// Macros that wrap a declaration: DEPRECATED(decl, "hint").
var wrappers = map[string]bool{"DEPRECATED": true, "LLAMA_DEPRECATED": true, "GGML_DEPRECATED": true}

// Macros and attributes with arguments that say nothing of the type either.
var annotations = map[string]bool{"GGML_ATTRIBUTE_FORMAT": true, "LLAMA_ATTRIBUTE_FORMAT": true, "__attribute__": true}

var (
	comment = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)
	define  = regexp.MustCompile(`^#\s*define\s+(\w+)\s+(\S.*)$`)
	lexeme  = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\w+|\.\.\.|<<|>>|[^\s\w]`)
	ident   = regexp.MustCompile(`^[A-Za-z_]\w*$`)
)

// parseHeaders reads C headers, each given as its text.
func parseHeaders(texts ...string) *header {
	h := &header{
		functions: map[string]string{}, types: map[string]string{},
		constants: map[string]string{}, refers: map[string][]string{},
	}
	for _, text := range texts {
		for _, decl := range declarations(lexeme.FindAllString(h.preprocess(text), -1)) {
			h.declare(decl)
		}
	}
	return h
}

// preprocess drops comments, preprocessor lines and what only C++ sees, and notes #defines.
func (h *header) preprocess(text string) string {
	text = strings.ReplaceAll(text, "\\\n", " ")
	text = comment.ReplaceAllString(text, " ")
	var out strings.Builder
	cplusplus, depth := false, 0 // inside #ifdef __cplusplus, and how many #if deep in there
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "#") {
			if !cplusplus {
				out.WriteString(line + "\n")
			}
			continue
		}
		word := strings.Join(strings.Fields(line[1:]), " ")
		switch {
		case cplusplus && strings.HasPrefix(word, "if"):
			depth++
		case cplusplus && strings.HasPrefix(word, "endif"):
			depth--
			cplusplus = depth > 0
		case cplusplus && strings.HasPrefix(word, "else") && depth == 1:
			cplusplus, depth = false, 0
		case word == "ifdef __cplusplus":
			cplusplus, depth = true, 1
		}
		if m := define.FindStringSubmatch(line); m != nil && !cplusplus {
			h.constants[m[1]] = "#define " + m[1] + " " + join(lexeme.FindAllString(m[2], -1))
		}
	}
	return out.String()
}

// declarations splits tokens at the semicolons (and function bodies) outside all brackets.
func declarations(tokens []string) [][]string {
	var all [][]string
	var decl []string
	depth, function := 0, false
	for _, t := range tokens {
		switch t {
		case "(", "{", "[":
			function = function || (depth == 0 && t == "{" && len(decl) > 0 && decl[len(decl)-1] == ")")
			depth++
		case ")", "}", "]":
			depth--
		}
		if depth == 0 && (t == ";" || (t == "}" && function)) {
			if len(decl) > 0 && !function {
				all = append(all, decl)
			}
			decl, function = nil, false
			continue
		}
		decl = append(decl, t)
	}
	return all
}

// clean takes wrappers, annotations and export macros off a declaration.
func clean(decl []string) []string {
	var out []string
	for i := 0; i < len(decl); i++ {
		switch t := decl[i]; {
		case noise[t]:
		case annotations[t] && i+1 < len(decl):
			i = closing(decl, i+1)
		case wrappers[t] && i+1 < len(decl):
			end := closing(decl, i+1)
			out = append(out, clean(firstArgument(decl[i+2:end]))...)
			i = end
		default:
			out = append(out, t)
		}
	}
	return out
}

// closing returns the index of the bracket that closes the one at open.
func closing(tokens []string, open int) int {
	depth := 0
	for i := open; i < len(tokens); i++ {
		switch tokens[i] {
		case "(", "{", "[":
			depth++
		case ")", "}", "]":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(tokens) - 1
}

func firstArgument(tokens []string) []string { return split(tokens, ",")[0] }

// split cuts tokens at the separators outside all brackets.
func split(tokens []string, separator string) [][]string {
	var parts [][]string
	depth, start := 0, 0
	for i, t := range tokens {
		switch t {
		case "(", "{", "[":
			depth++
		case ")", "}", "]":
			depth--
		case separator:
			if depth == 0 {
				parts = append(parts, tokens[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, tokens[start:])
}

// declare notes one top-level declaration.
func (h *header) declare(decl []string) {
	decl = clean(decl)
	if len(decl) == 0 {
		return
	}
	if open := index(decl, "{"); open >= 0 {
		h.body(decl, open)
		return
	}
	if decl[0] == "typedef" {
		h.note(h.types, typedefName(decl), decl)
		return
	}
	if open := index(decl, "("); open > 0 && ident.MatchString(decl[open-1]) {
		h.note(h.functions, decl[open-1], decl)
		return
	}
	if len(decl) == 2 && (decl[0] == "struct" || decl[0] == "union") && h.types[decl[1]] == "" {
		h.note(h.types, decl[1], append(decl, "(opaque)"))
	}
}

// body notes a struct, union or enum with a body, under its tag and under its typedef name.
func (h *header) body(decl []string, open int) {
	end := closing(decl, open)
	kind, tag := decl[0], ""
	if kind == "typedef" {
		kind = decl[1]
	}
	if ident.MatchString(decl[open-1]) && decl[open-1] != kind {
		tag = decl[open-1]
	}
	names := []string{tag}
	if decl[0] == "typedef" && end+1 < len(decl) {
		names = append(names, decl[len(decl)-1])
	}
	if kind == "enum" {
		h.enum(decl[open+1 : end])
		for _, name := range names {
			if name != "" {
				h.types[name] = "enum " + name
			}
		}
		return
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		delete(h.types, name) // a forward declaration
		h.note(h.types, name, decl)
		var text strings.Builder
		fmt.Fprintf(&text, "%s %s {\n", kind, name)
		for _, field := range split(decl[open+1:end], ";") {
			if len(field) > 0 {
				fmt.Fprintf(&text, "\t%s;\n", join(clean(field)))
			}
		}
		h.types[name] = text.String() + "}"
	}
}

// enum notes each constant with its value: a number, or an expression where it is not one here.
func (h *header) enum(body []string) {
	last, plus := "", -1 // the value is last + plus, or plus alone
	for _, part := range split(body, ",") {
		if len(part) == 0 {
			continue
		}
		plus++
		if len(part) > 2 && part[1] == "=" {
			last, plus = join(part[2:]), 0
			if n, ok := number(part[2:]); ok {
				last, plus = "", n
			}
		}
		value := strconv.Itoa(plus)
		if last != "" {
			value = last
			if plus > 0 {
				value = fmt.Sprintf("(%s) + %d", last, plus)
			}
		}
		h.constants[part[0]] = part[0] + " = " + value
	}
}

// number evaluates n, -n, and a << b.
func number(tokens []string) (int, bool) {
	switch {
	case len(tokens) > 2 && tokens[0] == "(" && closing(tokens, 0) == len(tokens)-1:
		return number(tokens[1 : len(tokens)-1])
	case len(tokens) == 1:
		n, err := strconv.ParseInt(tokens[0], 0, 64)
		return int(n), err == nil
	case len(tokens) == 2 && tokens[0] == "-":
		n, ok := number(tokens[1:])
		return -n, ok
	case len(tokens) == 3 && tokens[1] == "<<":
		a, ok := number(tokens[:1])
		b, ok2 := number(tokens[2:])
		return a << b, ok && ok2 && b >= 0 && b < 63
	}
	return 0, false
}

// typedefName finds the name: in (*name) for a function pointer, the last word otherwise.
func typedefName(decl []string) string {
	if open := index(decl, "("); open >= 0 && open+2 < len(decl) && decl[open+1] == "*" {
		return decl[open+2]
	}
	name := ""
	for _, t := range decl {
		if t == "[" {
			break
		}
		if ident.MatchString(t) {
			name = t
		}
	}
	return name
}

// note keeps a declaration and what it depends on: every name in it, save structs behind a pointer,
// whose fields do not matter to it.
func (h *header) note(kind map[string]string, name string, decl []string) {
	kind[name] = join(decl)
	for i, t := range decl {
		pointer := i > 0 && decl[i-1] == "struct" && i+1 < len(decl) && decl[i+1] == "*"
		if ident.MatchString(t) && t != name && !pointer {
			h.refers[name] = append(h.refers[name], t)
		}
	}
}

func index(tokens []string, t string) int {
	for i, u := range tokens {
		if u == t {
			return i
		}
	}
	return -1
}

// join writes tokens with single spaces, none after an opening and before a closing bracket.
func join(tokens []string) string {
	var out strings.Builder
	for i, t := range tokens {
		if i > 0 && !strings.Contains("),;][", t) && t != "(" && tokens[i-1] != "(" && tokens[i-1] != "[" {
			out.WriteByte(' ')
		}
		out.WriteString(t)
	}
	return out.String()
}
