package constitution

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestSchema: schema.json is what the Go types say, field by field, with their comments as descriptions.
//
//	scripts/go test ./constitution -run Schema -update
func TestSchema(t *testing.T) {
	g := generator{comments: fieldComments(t)}
	schema := g.object(reflect.TypeFor[Document]())
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "amend constitution"
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	if *update {
		if err := os.WriteFile("schema.json", text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if string(text) != Schema() && !*update {
		t.Error("schema.json is not what the types say; -update writes it")
	}
}

// generator makes a JSON Schema of the types that a constitution is read into.
type generator struct {
	comments map[string]string // Type.Field → what its comment says
}

// required are the keys that a mapping of a type must have.
var required = map[string][]string{
	"Document": {"name"}, "Principle": {"id"}, "Source": {"instrument"},
	"Demonstration": {"prompt", "response", "principle", "critique", "revision"},
	"Judgement":     {"prompt", "principle", "a", "b", "better"},
}

func (g generator) object(t reflect.Type) map[string]any {
	properties := map[string]any{}
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == "-" {
			continue
		}
		p := g.value(f.Type, key)
		if text := g.comments[t.Name()+"."+f.Name]; text != "" {
			p["description"] = text
		}
		properties[key] = p
	}
	out := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if r := required[t.Name()]; r != nil {
		out["required"] = r
	}
	return out
}

// identifiers are the keys whose texts are identifiers.
var identifiers = []string{"name", "id", "tags", "jurisdictions", "prompt_tags"}

func (g generator) value(t reflect.Type, key string) map[string]any {
	switch t.Kind() {
	case reflect.Struct:
		return g.object(t)
	case reflect.Slice:
		return map[string]any{"type": "array", "items": g.value(t.Elem(), key)}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number", "minimum": 0, "maximum": maxWeight}
	}
	p := map[string]any{"type": "string"}
	switch {
	case t == reflect.TypeFor[Framing]():
		p["enum"] = []Framing{Positive, Negative}
	case t == reflect.TypeFor[Side]():
		p["enum"] = []Side{SideA, SideB}
	case t == reflect.TypeFor[Use]():
		p["enum"] = []Use{UseShow, UseTest}
	case slices.Contains(identifiers, key):
		p["pattern"] = identifier.String()
	case key == "version" || key == "article":
		p["type"] = []string{"string", "number"} // 1.10 is a text too
	}
	return p
}

// fieldComments reads what the comments behind the fields of document.go say.
func fieldComments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "document.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				for _, name := range f.Names {
					out[spec.Name.Name+"."+name.Name] = strings.TrimSpace(f.Comment.Text())
				}
			}
		}
		return true
	})
	return out
}
