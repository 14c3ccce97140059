package constitution

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed *.yaml
var builtin embed.FS

const extension = ".yaml"

//go:embed schema.json
var schema string

// Schema is the JSON Schema of a document, for editors.
func Schema() string { return schema }

//go:embed skeleton/new.yaml
var skeleton string

// Skeleton is a document to start one's own from, with comments. Lint finds nothing in it.
func Skeleton(name string) string {
	return strings.Replace(skeleton, "name: mine ", "name: "+name+" ", 1)
}

// Names returns the names of the embedded documents in alphabetical order.
func Names() []string {
	entries, err := builtin.ReadDir(".")
	if err != nil {
		return nil // the root of an embedded file system can always be read
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), extension))
	}
	return names
}

// Load reads documents by their embedded names or, where there are none of these names, the files at these paths, and
// composes them: each on top of those before it, and each behind what it extends. Texts are stripped of surrounding
// white space, missing requests are derived from the templates, and demonstrations get the requests of their principle.
// Faults in a document are returned as Problems, all of them at once. A name that is neither embedded nor a file is an
// error that lists the names there are and wraps fs.ErrNotExist.
func Load(namesOrPaths ...string) (*Document, error) {
	var s stack
	for _, name := range namesOrPaths {
		l, err := s.open(name)
		if err != nil {
			return nil, fmt.Errorf("load constitution: %w", err)
		}
		if there := s.find(l.File); there != nil && slices.Contains(s.named, there) {
			return nil, fmt.Errorf("load constitution: %s is named twice", name)
		}
		if err := s.push(l); err != nil {
			return nil, err
		}
		s.named = append(s.named, s.find(l.File))
	}
	if len(s.layers) == 0 {
		return nil, errors.New("load constitution: none is named")
	}
	return compose(s.layers, s.named)
}

// Parse is Load of one document that is at hand. The file name serves for messages, and its folder for what the
// document extends by path.
func Parse(file string, data []byte) (*Document, error) {
	l, err := parseLayer(file, data)
	if err != nil {
		return nil, err
	}
	var s stack
	if err := s.push(l); err != nil {
		return nil, err
	}
	return compose(s.layers, []*layer{l})
}

// stack gathers layers, each once, behind those it extends.
type stack struct {
	layers, named []*layer
	under         []*layer // that are being pushed: each extends the next
}

func (s *stack) find(file string) *layer {
	i := slices.IndexFunc(s.layers, func(l *layer) bool { return l.File == file })
	if i < 0 {
		return nil
	}
	return s.layers[i]
}

// open reads a layer by its name or path.
func (s *stack) open(nameOrPath string) (*layer, error) {
	if data, err := builtin.ReadFile(nameOrPath + extension); err == nil {
		return parseLayer(nameOrPath+extension, data)
	}
	data, err := os.ReadFile(nameOrPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%q is neither an embedded constitution (%s) nor a file%s: %w",
			nameOrPath, strings.Join(Names(), ", "), suggest(filepath.Base(nameOrPath), Names()), fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	return parseLayer(nameOrPath, data)
}

// push adds a layer behind those it extends.
func (s *stack) push(l *layer) error {
	if s.find(l.File) != nil {
		return nil
	}
	s.under = append(s.under, l)
	defer func() { s.under = s.under[:len(s.under)-1] }()
	for i, name := range l.doc.Extends {
		r := &report{file: l.File}
		node := at(l.root, "extends", i)
		below, err := s.open(l.resolve(name))
		var problems Problems
		switch {
		case errors.As(err, &problems):
			return err
		case err != nil:
			r.add(node, "it cannot be extended: %v", err)
			return r.err()
		}
		if at := slices.IndexFunc(s.under, func(u *layer) bool { return u.File == below.File }); at >= 0 {
			var chain []string
			for _, u := range append(s.under[at:len(s.under):len(s.under)], below) {
				chain = append(chain, u.Name)
			}
			r.add(node, "the layers extend each other in a circle: %s", strings.Join(chain, " → "))
			return r.err()
		}
		if err := s.push(below); err != nil {
			return err
		}
	}
	s.layers = append(s.layers, l)
	return nil
}

// resolve turns what a layer extends into a name or a path: a path counts from the layer's own folder.
func (l *layer) resolve(name string) string {
	if slices.Contains(Names(), name) || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(l.File), name)
}
