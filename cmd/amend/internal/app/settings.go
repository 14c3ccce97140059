package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/nearest"
	"amend/engine/runstore"
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

// rewrite changes every path in a config.
func rewrite(p paths, change func(string) string) {
	for _, f := range p.files {
		if *f != "" && *f != "-" {
			*f = change(*f)
		}
	}
	for _, m := range p.models {
		if isPath(*m) {
			*m = change(*m)
		}
	}
	for _, a := range p.adapters {
		if *a != "" {
			adapter := runner.ParseAdapter(*a)
			adapter.Path = change(adapter.Path)
			*a = adapter.String()
		}
	}
	for i, l := range p.layers {
		if isPath(l) {
			p.layers[i] = change(l)
		}
	}
}

// isPath reports whether a model or a constitution is given by a path and not by a name: it has a folder or a file's
// extension.
func isPath(name string) bool {
	return strings.ContainsRune(name, filepath.Separator) || slices.Contains([]string{".gguf", ".yaml", ".yml"}, filepath.Ext(name))
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
	dir := filepath.Dir(file)
	rewriteGiven(c.paths(), P(&given).paths(), func(p string) string {
		if filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(dir, p)
	})
	return nil
}

// rewriteGiven changes the paths of a config that a file gave.
func rewriteGiven(all, given paths, change func(string) string) {
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
	rewrite(mine, change)
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
	names := settingNames(reflect.TypeOf(v).Elem())
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

// settingNames are the names of a config's settings.
func settingNames(config reflect.Type) (names []string) {
	for i := range config.NumField() {
		field := config.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			names = append(names, settingNames(field.Type)...)
		case name != "-":
			names = append(names, name)
		}
	}
	return names
}

// keepSettings writes a config into a folder, with paths relative to it: folder and inputs can be moved together.
func keepSettings(dir, name string, c pathed) error {
	base, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("keeping the settings: %w", err)
	}
	rewrite(c.paths(), func(p string) string {
		abs, err := filepath.Abs(p)
		if err != nil {
			return p
		}
		rel, err := filepath.Rel(base, abs)
		if err != nil {
			return abs
		}
		if !strings.ContainsRune(rel, filepath.Separator) { // still a path, whatever it names
			rel = "." + string(filepath.Separator) + rel
		}
		return rel
	})
	text, err := yaml.Marshal(c)
	if err != nil {
		return fmt.Errorf("keeping the settings: %w", err)
	}
	if err := runstore.WriteFile(filepath.Join(dir, name), text); err != nil {
		return fmt.Errorf("keeping the settings: %w", err)
	}
	return nil
}

// exists reports whether a file is there.
func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// settingsFile is the config in a directory.
func settingsFile(dir, name string) string { return filepath.Join(dir, name) }
