package models

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// Model is a checked model: one GGUF file, or all the parts of a split one. It holds no open files.
type Model struct {
	Path  string  // of the first part; the path to give to llama.cpp
	Parts []*File // in order, at least one; Parts[0] has the metadata
}

// splitName is llama_split_path's format.
var splitName = regexp.MustCompile(`^(.*)-(\d{5})-of-(\d{5})\.gguf$`)

// Open reads and checks the headers of a model, of every part if it is split. path may name any part.
// A part that is missing is named in the error.
func Open(path string) (*Model, error) {
	first, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	count, _ := first.uint("split.count")
	if count <= 1 {
		return &Model{Path: path, Parts: []*File{first}}, nil
	}
	paths, err := partPaths(path, count)
	if err != nil {
		return nil, err
	}
	m := &Model{Path: paths[0]}
	names := map[string]string{}
	var tensors uint64
	for i, p := range paths {
		part, err := openPart(p, i, count, names)
		if err != nil {
			return nil, err
		}
		tensors += uint64(len(part.Tensors))
		m.Parts = append(m.Parts, part)
	}
	if want, ok := m.Parts[0].uint("split.tensors.count"); ok && want != tensors {
		return nil, &FormatError{Path: paths[0], Field: "split.tensors.count", Value: fmt.Sprint(want),
			Limit: fmt.Sprintf("must be %d, what the %d parts hold: they belong to different models", tensors, count)}
	}
	return m, nil
}

// partPaths lists all parts' paths from the path of any one.
func partPaths(path string, count uint64) ([]string, error) {
	name := splitName.FindStringSubmatch(filepath.Base(path))
	if name == nil {
		return nil, invalidf("%s is a part of a model split into %d files, but is not named NAME-00001-of-%05d.gguf: the other parts cannot be found", path, count, count)
	}
	if n, err := strconv.ParseUint(name[3], 10, 64); err != nil || n != count {
		return nil, invalidf("%s: its name says %s parts, its split.count %d", path, name[3], count)
	}
	paths := make([]string, count)
	for i := range paths {
		paths[i] = filepath.Join(filepath.Dir(path), fmt.Sprintf("%s-%05d-of-%05d.gguf", name[1], i+1, count))
	}
	return paths, nil
}

// openPart reads part i and checks that it is part i of count, with no tensor that another part has.
func openPart(path string, i int, count uint64, names map[string]string) (*File, error) {
	part, err := ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, invalidf("%s, part %d of %d of this model, is missing: all parts must lie in one folder (%w)", path, i+1, count, os.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	if n, ok := part.uint("split.count"); !ok || n != count {
		return nil, &FormatError{Path: path, Field: "split.count", Value: fmt.Sprint(part.Value("split.count")), Limit: fmt.Sprintf("must be %d, as in the other parts", count)}
	}
	if n, ok := part.uint("split.no"); !ok || n != uint64(i) {
		return nil, &FormatError{Path: path, Field: "split.no", Value: fmt.Sprint(part.Value("split.no")), Limit: fmt.Sprintf("must be %d by the file's name", i)}
	}
	for _, t := range part.Tensors {
		if other, dup := names[t.Name]; dup {
			return nil, invalidf("tensor %q is both in %s and in %s", t.Name, other, path)
		}
		names[t.Name] = path
	}
	return part, nil
}

// Size is the number of bytes of all parts.
func (m *Model) Size() uint64 {
	var n uint64
	for _, p := range m.Parts {
		n += p.Size
	}
	return n
}

// tensor finds a tensor in any part.
func (m *Model) tensor(name string) (Tensor, bool) {
	for _, p := range m.Parts {
		for _, t := range p.Tensors {
			if t.Name == name {
				return t, true
			}
		}
	}
	return Tensor{}, false
}

// tensors is the number of tensors in all parts.
func (m *Model) tensors() int {
	n := 0
	for _, p := range m.Parts {
		n += len(p.Tensors)
	}
	return n
}
