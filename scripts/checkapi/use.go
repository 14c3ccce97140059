package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Names that belong to the libraries, as they occur in C and, after "C.", in Go.
var (
	libraryName = regexp.MustCompile(`\b(?:llama|ggml|gguf|amend_jinja|LLAMA|GGML|GGUF|AMEND_JINJA)_\w+`)
	cgoTag      = regexp.MustCompile(`^(?:sizeof_)?(?:struct_|enum_|union_)?`)
	cString     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|(?m:^\s*#\s*include.*$)`)
)

// usedNames lists what the Go package in dir uses of the C libraries: C.name in its Go files, and
// library names in its cgo preambles, .c and .h files. Test files count as well.
func usedNames(dir string) ([]string, error) {
	used := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		switch filepath.Ext(file) {
		case ".go":
			err = usedInGo(file, used)
		case ".c", ".h", ".cpp":
			err = usedInC(file, used)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the bindings: %w", err)
		}
	}
	return slices.Sorted(maps.Keys(used)), nil
}

func usedInGo(file string, used map[string]bool) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, decl := range parsed.Decls {
		if general, ok := decl.(*ast.GenDecl); ok && importsC(general) {
			usedInText(general.Doc.Text(), used)
		}
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && x.Name == "C" {
			name := cgoTag.ReplaceAllString(selector.Sel.Name, "")
			if libraryName.FindString(name) == name {
				used[name] = true
			}
		}
		return true
	})
	return nil
}

func importsC(decl *ast.GenDecl) bool {
	for _, spec := range decl.Specs {
		if imported, ok := spec.(*ast.ImportSpec); ok && imported.Path.Value == `"C"` {
			return true
		}
	}
	return false
}

func usedInC(file string, used map[string]bool) error {
	text, err := os.ReadFile(file)
	if err == nil {
		usedInText(string(text), used)
	}
	return err
}

func usedInText(text string, used map[string]bool) {
	text = cString.ReplaceAllString(comment.ReplaceAllString(text, " "), " ")
	for _, name := range libraryName.FindAllString(text, -1) {
		used[strings.TrimSpace(name)] = true
	}
}
