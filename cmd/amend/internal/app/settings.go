package app

import (
	"errors"
	"fmt"
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
	"amend/engine/nearest"
)

// paths are the settings of a config that name files, and how each is written.
type paths struct {
	files    []*string // always a path, or empty, or "-"
	models   []*string // a path or a name
	adapters []*string // PATH or PATH=SCALE
	layers   []string  // constitutions: paths or names
}

// pathed is a config whose settings name files.
type pathed interface{ paths() paths }

func (c *RunConfig) paths() paths {
	return paths{
		files:    []*string{&c.Prompts, &c.Out, &c.CritiqueGrammar, &c.Compute.Template, &c.Context.PreambleCache},
		models:   []*string{&c.Model, &c.Critic},
		adapters: []*string{&c.LoRA, &c.CriticLoRA},
		layers:   c.Constitution,
	}
}

// A change makes a path another one. named says that the text may also be the name of a model or a constitution.
type change func(text string, named bool) string

// rewrite changes every path in a config.
func rewrite(p paths, to change) {
	for _, f := range p.files {
		if *f != "" && *f != "-" {
			*f = to(*f, false)
		}
	}
	for _, m := range p.models {
		if *m != "" {
			*m = to(*m, true)
		}
	}
	for _, a := range p.adapters {
		if *a != "" {
			adapter := runner.ParseAdapter(*a)
			adapter.Path = to(adapter.Path, false)
			*a = adapter.String()
		}
	}
	for i, l := range p.layers {
		p.layers[i] = to(l, true)
	}
}

// from finds paths that are relative to a folder. A text that may be a name is a path if it begins as one or there is such
// a file: names of models may have slashes too.
func from(dir string) change {
	return func(text string, named bool) string {
		joined := filepath.Join(dir, text)
		if filepath.IsAbs(text) || named && !beginsAsPath(text) && !isFile(joined) {
			return text
		}
		return joined
	}
}

// relativeTo writes paths relative to a folder. Those that could be taken for names begin as paths.
func relativeTo(dir string) change {
	return func(text string, named bool) string {
		if named && !beginsAsPath(text) && !isFile(text) {
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
	rewrite(mine, to)
}

// strictYAML decodes one document, in which every name must be a setting. An empty file names none.
func strictYAML(file string, text []byte, v any) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if len(doc.Content) == 0 {
		return nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("%s: line %d: must be settings by their names, such as seed: 1", file, root.Line)
	}
	names := slices.Sorted(maps.Keys(Settings(reflect.ValueOf(v).Elem())))
	for i := 0; i < len(root.Content); i += 2 {
		key := root.Content[i]
		if slices.Contains(names, key.Value) {
			continue
		}
		hint := ""
		if near := nearest.Names(key.Value, names); len(near) > 0 {
			hint = "; the nearest are " + strings.Join(near, ", ")
		}
		return fmt.Errorf("%s: line %d: there is no setting %q%s", file, key.Line, key.Value, hint)
	}
	if err := root.Decode(v); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
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
