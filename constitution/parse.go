package constitution

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// layer is one file as it was read: what it gives, and where.
type layer struct {
	Layer
	doc  *Document
	root *yaml.Node
}

// parseLayer reads one file and checks what can be checked without the layers below it. Texts are stripped of
// surrounding white space. Faults are returned as Problems, all that could be found at once.
func parseLayer(file string, data []byte) (*layer, error) {
	root, err := readRoot(file, data)
	if err != nil {
		return nil, err
	}
	r := &report{file: file}
	r.checkShape(root, reflect.TypeFor[Document](), "the document")
	if err := r.err(); err != nil {
		if importable(file, data) {
			return nil, Problems{{File: file, Message: "holds critique and revision requests in another tool's shape: amend constitution import makes a constitution of them"}}
		}
		return nil, err
	}
	doc := new(Document)
	if err := root.Decode(doc); err != nil {
		return nil, yamlProblems(file, err)
	}
	doc.trim()
	r.checkContent(root, doc)
	if err := r.err(); err != nil {
		return nil, err
	}
	return &layer{Layer{doc.Name, doc.Version, file}, doc, root}, nil
}

// UnmarshalYAML decodes a principle with the weight 1 where none is given.
func (p *Principle) UnmarshalYAML(n *yaml.Node) error {
	type plain Principle // without this method
	p.Weight = 1
	return n.Decode((*plain)(p))
}

// readRoot returns the top node of the only YAML document in data.
func readRoot(file string, data []byte) (*yaml.Node, error) {
	lines := &lineReader{rest: data}
	dec := yaml.NewDecoder(lines)
	var top, second yaml.Node
	switch err := dec.Decode(&top); {
	case errors.Is(err, io.EOF):
		return nil, Problems{{File: file, Message: "is empty; a constitution needs a name and principles"}}
	case err != nil:
		return nil, Problems{syntaxProblem(file, data, lines.taken, err)}
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, Problems{{file, second.Line, second.Column, "a second YAML document starts here; a constitution is one document"}}
	case !errors.Is(err, io.EOF):
		return nil, Problems{syntaxProblem(file, data, lines.taken, err)}
	}
	return top.Content[0], nil
}

// yamlProblems are the errors that the YAML library has with values.
func yamlProblems(file string, err error) error {
	messages := []string{err.Error()}
	var types *yaml.TypeError
	if errors.As(err, &types) {
		messages = types.Errors
	}
	var ps Problems
	for _, m := range messages {
		ps = append(ps, yamlProblem(file, m))
	}
	return ps
}

// report gathers the problems of one file.
type report struct {
	file     string
	problems Problems
}

func (r *report) add(n *yaml.Node, format string, args ...any) {
	r.problems = append(r.problems, Problem{r.file, n.Line, n.Column, fmt.Sprintf(format, args...)})
}

// err returns the problems so far in the order of the file, or nil.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return r.problems
}
