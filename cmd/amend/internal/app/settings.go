package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/constitution"
	"amend/engine/nearest"
	"amend/models"
)

// paths are the settings of a config that name files, and how each is written.
type paths struct {
	files    []*string  // always a path, or empty, or "-"
	inputs   [][]string // as files, several
	models   []*string  // a path or a name
	adapters []*string  // PATH or PATH=SCALE
	layers   []string   // constitutions: paths or names
}

// pathed is a config whose settings name files.
type pathed interface{ paths() paths }

func (c *RunConfig) paths() paths {
	return paths{
		files:    []*string{&c.Out, &c.CritiqueGrammar, &c.Compute.Template, &c.Context.PreambleCache},
		models:   []*string{&c.Model, &c.Critic},
		adapters: []*string{&c.LoRA, &c.CriticLoRA},
		layers:   c.Constitution,
		inputs:   [][]string{c.Prompts},
	}
}

// A change rewrites one path. names, unless nil, are those that come before files; other texts, too, may then be names.
type change func(text string, names []string) string

// rewrite changes every path in a config.
func rewrite(p paths, to change) {
	for _, f := range p.files {
		if *f != "" && *f != "-" {
			*f = to(*f, nil)
		}
	}
	for _, inputs := range p.inputs {
		for i, in := range inputs {
			if in != "-" {
				inputs[i] = to(in, nil)
			}
		}
	}
	for _, m := range p.models {
		if *m != "" {
			*m = to(*m, models.Reserved())
		}
	}
	for _, a := range p.adapters {
		if *a != "" {
			adapter := runner.ParseAdapter(*a)
			adapter.Path = to(adapter.Path, nil)
			*a = adapter.String()
		}
	}
	for i, l := range p.layers {
		p.layers[i] = to(l, constitution.Names())
	}
}

// from finds paths that are relative to a folder. A text that may be a name is a path if it begins as one or there is such
// a file: names of models may have slashes too.
func from(dir string) change {
	return func(text string, names []string) string {
		joined := filepath.Join(dir, text)
		if filepath.IsAbs(text) || isName(text, names, joined) {
			return text
		}
		return joined
	}
}

// relativeTo writes paths relative to a folder. Those that could be taken for names begin as paths.
func relativeTo(dir string) change {
	return func(text string, names []string) string {
		if isName(text, names, text) {
			return text
		}
		abs, err := filepath.Abs(text)
		if err != nil {
			return text
		}
		rel, err := filepath.Rel(dir, abs)
		switch {
		case err != nil:
			return abs
		case beginsAsPath(rel):
			return rel
		}
		return "." + string(filepath.Separator) + rel
	}
}

// isName reports whether a text that may be a name is one: it is among names, or there is no such file.
func isName(text string, names []string, path string) bool {
	return slices.Contains(names, text) || names != nil && !beginsAsPath(text) && !isFile(path)
}

func beginsAsPath(text string) bool {
	first, _, more := strings.Cut(filepath.ToSlash(text), "/")
	return filepath.IsAbs(text) || more && (first == "." || first == "..")
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// readSettings reads a config file into c. Settings that the file does not name stay. Paths in the file are relative to
// its folder. An unknown name is an error that gives its line.
func readSettings[C any, P interface {
	*C
	pathed
}](file string, c P) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return failure.Inputf("reading settings: %w", err)
	}
	var given C // only what the file names, to tell its paths from those that c has
	if err := strictYAML(file, text, &given); err != nil {
		return failure.Input(err)
	}
	if err := strictYAML(file, text, c); err != nil {
		return failure.Input(err)
	}
	rewriteGiven(c.paths(), P(&given).paths(), from(filepath.Dir(file)))
	return nil
}

// rewriteGiven changes the paths of a config that a file gave.
func rewriteGiven(all, given paths, to change) {
	var mine paths
	pick := func(all, given []*string) (out []*string) {
		for i, g := range given {
			if *g != "" {
				out = append(out, all[i])
			}
		}
		return out
	}
	mine.files, mine.models, mine.adapters = pick(all.files, given.files), pick(all.models, given.models), pick(all.adapters, given.adapters)
	if len(given.layers) > 0 {
		mine.layers = all.layers
	}
	for i, g := range given.inputs {
		if len(g) > 0 {
			mine.inputs = append(mine.inputs, all.inputs[i])
		}
	}
	rewrite(mine, to)
}

// strictYAML decodes a file of one document, in which every name must be a setting, once. An empty file names none.
func strictYAML(file string, text []byte, v any) error {
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", file, err)
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		return fmt.Errorf("%s: line %d: a second YAML document begins; settings are one document", file, second.Line)
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("%s: %w", file, err)
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("%s: line %d: must be settings by their names, such as seed: 1", file, root.Line)
	}
	fields, seen := Settings(reflect.ValueOf(v).Elem()), map[string]bool{}
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if err := decodeSetting(fields, seen, key.Value, value); err != nil {
			return fmt.Errorf("%s: line %d: %w", file, key.Line, err)
		}
	}
	return nil
}

// decodeSetting decodes the value of a name into its field.
func decodeSetting(fields map[string]reflect.Value, seen map[string]bool, name string, value *yaml.Node) error {
	field, known := fields[name]
	switch {
	case !known:
		hint := ""
		if near := nearest.Names(name, slices.Sorted(maps.Keys(fields))); len(near) > 0 {
			hint = "; the nearest are " + strings.Join(near, ", ")
		}
		return fmt.Errorf("there is no setting %q%s", name, hint)
	case seen[name]:
		return fmt.Errorf("%s stands here a second time", name)
	}
	seen[name] = true
	whole := field.CanInt() || field.CanUint()
	if value.ShortTag() == "!!null" {
		if whole || field.CanFloat() || field.Kind() == reflect.Bool {
			return fmt.Errorf("%s has no value; it must be %s", name, kindOf(field.Type()))
		}
		field.SetZero()
		return nil
	}
	err := value.Decode(field.Addr().Interface())
	mistyped := (*yaml.TypeError)(nil)
	switch cut := whole && value.ShortTag() == "!!float"; { // the library would cut 1.5 to 1
	case (cut || errors.As(err, &mistyped)) && value.Kind == yaml.ScalarNode:
		return fmt.Errorf("%s %q: must be %s", name, value.Value, kindOf(field.Type()))
	case errors.As(err, &mistyped):
		return fmt.Errorf("%s must be %s", name, kindOf(field.Type()))
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// kindOf names the values that a type takes.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Uint64:
		return "a whole number of at least 0"
	case reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list, such as [a, b], of which each is " + kindOf(t.Elem())
	case reflect.Map:
		return "names or numbers with a value each, such as {1: 0.5}"
	default:
		return "a text"
	}
}

// Settings are the fields of a config by the names of the settings, those of inlined structs included.
func Settings(config reflect.Value) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	for i := range config.NumField() {
		name, options, _ := strings.Cut(config.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			maps.Copy(out, Settings(config.Field(i)))
		case name != "" && name != "-":
			out[name] = config.Field(i)
		}
	}
	return out
}

// settingsText is a config as the file in a folder has it, with paths relative to the folder: folder and inputs can be
// moved together. It rewrites the paths of c.
func settingsText(dir string, c pathed) ([]byte, error) {
	base, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("writing the settings down: %w", err)
	}
	rewrite(c.paths(), relativeTo(base))
	text, err := yaml.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("writing the settings down: %w", err)
	}
	return text, nil
}

// exists reports whether a file is there.
func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
