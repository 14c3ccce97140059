package models

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"amend/engine/nearest"
	"amend/models/testbed"
)

// Known is a model that this project has a name for.
type Known struct {
	Name   string `json:"name"`   // what --model takes
	File   string `json:"file"`   // its file name in a cache
	SHA256 string `json:"sha256"` // of the file
	Size   uint64 `json:"size"`   // in bytes
	Get    string `json:"get"`    // the command that fetches it
}

// KnownModels is the table of named models.
func KnownModels() []Known {
	return []Known{{
		Name:   "smollm2",
		File:   "SmolLM2-135M-Instruct.Q4_1.gguf",
		SHA256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
		Size:   98362432,
		Get:    "make models",
	}}
}

// Reserved are the names that Resolve takes before files: testbed, and those of known models.
func Reserved() []string {
	names := []string{testbed.Name}
	for _, k := range KnownModels() {
		names = append(names, k.Name)
	}
	return names
}

// reservedAnd are the reserved names and those of models that were found, each once.
func reservedAnd(found []Found) []string {
	all := Reserved()
	for _, f := range found {
		if !slices.Contains(all, f.Name) {
			all = append(all, f.Name)
		}
	}
	return all
}

// NamesAtHand are the names that Resolve takes: those that are reserved, and of the models in the caches. No file is opened.
func (c Caches) NamesAtHand() []string { return reservedAnd(c.Names()) }

// Resolve finds the model file for what was given as --model: testbed, a known name (smollm2), a path, the name of a model in
// a cache as `amend model ls` shows it, or the name of its file alone, in that order. The file exists; it has not been opened.
// The error for a name that leads nowhere says where it was looked for and what there is; it matches ErrInvalid and fs.ErrNotExist.
func (c Caches) Resolve(name string) (string, error) {
	if name == testbed.Name {
		return c.unpack()
	}
	for _, k := range KnownModels() {
		if k.Name == name {
			return c.findKnown(k)
		}
	}
	stat, err := os.Stat(name)
	switch {
	case err == nil && stat.IsDir():
		return "", invalidf("model %s is a directory: give the .gguf file in it", name)
	case err == nil:
		return name, nil
	case !errors.Is(err, os.ErrNotExist) && looksLikePath(name):
		return "", fmt.Errorf("model: %w", err)
	}
	names := c.Names()
	for _, f := range names {
		if f.Name == name || f.Name+".gguf" == name || f.Name == name+":latest" { // the tag that Ollama leaves out
			return f.Path, nil
		}
	}
	for _, k := range KnownModels() {
		if modelName(k.File) == name || k.File == name {
			return c.findKnown(k)
		}
	}
	if path, err := byFile(name, names); path != "" || err != nil {
		return path, err
	}
	return "", unknownModel(name, names, c)
}

// byFile finds the model whose file has a name, with .gguf or without, in any repository. Files that several models have are
// an error.
func byFile(name string, found []Found) (path string, err error) {
	var names []string
	for _, f := range found {
		file := filepath.Base(f.Path)
		if file != name && modelName(file) != modelName(name) || f.Path == path || slices.Contains(names, f.Name) {
			continue
		}
		if names = append(names, f.Name); path == "" {
			path = f.Path
		}
	}
	if len(names) > 1 {
		return "", invalidf("model %s is the file of several: give one of %s", name, strings.Join(names, ", "))
	}
	return path, nil
}

// findKnown looks for a known model in the caches that hold models directly. A file of another size is
// passed over and reported: it is a download that broke off, or another file of that name.
func (c Caches) findKnown(k Known) (string, error) {
	var tried []string
	for _, dir := range c.flat() {
		path := filepath.Join(dir, k.File)
		stat, err := os.Stat(path)
		switch {
		case err == nil && stat.Mode().IsRegular() && uint64(stat.Size()) == k.Size:
			return path, nil
		case err == nil:
			path += fmt.Sprintf(" (has %d bytes instead of %d: not the file, or damaged)", stat.Size(), k.Size)
		case !errors.Is(err, os.ErrNotExist):
			path += fmt.Sprintf(" (%v)", err)
		}
		tried = append(tried, "\n  "+path)
	}
	if tried == nil {
		tried = []string{" nowhere: neither AMEND_MODELS, XDG_CACHE_HOME nor HOME is set"}
	}
	return "", invalidf("model %s is not here; `%s` fetches it. Looked for:%s", k.Name, k.Get, strings.Join(tried, ""))
}

// looksLikePath tells a mistyped path from a mistyped name.
func looksLikePath(name string) bool {
	return filepath.Ext(name) == ".gguf" || filepath.IsAbs(name) || strings.HasPrefix(name, ".")
}

// unknownModel lists the nearest names and, if they are few, everything there is.
func unknownModel(name string, found []Found, c Caches) error {
	all := reservedAnd(found)
	var text strings.Builder
	if looksLikePath(name) {
		fmt.Fprintf(&text, "model file %s does not exist", name)
	} else {
		fmt.Fprintf(&text, "model %q is neither a file nor a known name", name)
	}
	if near := nearest.Names(modelName(filepath.Base(name)), all); len(near) > 0 {
		fmt.Fprintf(&text, "; the nearest are %s", strings.Join(near, ", "))
	}
	const most = 10
	fmt.Fprintf(&text, ". Known: %s", strings.Join(all[:min(most, len(all))], ", "))
	if len(all) > most {
		fmt.Fprintf(&text, " and %d more (amend model ls)", len(all)-most)
	}
	places := c.Places()
	fmt.Fprintf(&text, ". Looked in %s", strings.Join(places, ", "))
	return &inputError{text: text.String(), cause: os.ErrNotExist}
}
