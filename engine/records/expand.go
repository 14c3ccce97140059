package records

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Expand returns the files that paths name, in the order in which they are read. A folder stands for the files of data in it,
// by name, and a path with *, ? or [ that is no file for those that match it, by name. ignored are the other files of the
// folders, and folders in them.
func Expand(paths []string) (files, ignored []string, err error) {
	for _, path := range paths {
		found, rest, err := expand(path)
		if err != nil {
			return nil, nil, err
		}
		files, ignored = append(files, found...), append(ignored, rest...)
	}
	return files, ignored, twice(files)
}

// twice refuses a file that comes twice, by one path or by two.
func twice(files []string) error {
	seen := map[string]bool{}
	var infos []os.FileInfo // of files, in their order
	for i, f := range files {
		if seen[filepath.Clean(f)] {
			return fmt.Errorf("%s: given twice", f)
		}
		seen[filepath.Clean(f)] = true
		info, err := os.Stat(f)
		infos = append(infos, info)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		for j, other := range infos[:i] {
			if other != nil && os.SameFile(info, other) {
				return fmt.Errorf("%s: the same file as %s; give it once", f, files[j])
			}
		}
	}
	return nil
}

// expand returns the files of one path.
func expand(path string) (files, ignored []string, err error) {
	switch path {
	case "-":
		return []string{path}, nil, nil
	case "":
		return nil, nil, errors.New("an empty path; name a file, or - for standard input")
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return folder(path)
	case err == nil || !strings.ContainsAny(path, "*?["):
		return []string{path}, nil, nil // that a file is missing is said when it is opened
	}
	if strings.Contains(path, "**") {
		return nil, nil, fmt.Errorf("%s: ** is not understood; name each folder, or a pattern for each depth: DIR/*.jsonl and DIR/*/*.jsonl", path)
	}
	files, err = filepath.Glob(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	files = slices.DeleteFunc(files, func(f string) bool {
		info, err := os.Stat(f)
		isDir := err == nil && info.IsDir()
		if isDir && !hidden(f) {
			ignored = append(ignored, f+"/"+dataWithin(f))
		}
		return isDir || hidden(f) && !hidden(path)
	})
	if len(files) == 0 {
		return nil, nil, fmt.Errorf("%s: no file matches: %w", path, fs.ErrNotExist)
	}
	return files, ignored, nil
}

// hidden reports whether a file is one that shells leave out of patterns.
func hidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// folder returns the files of data in a folder, and what else is in it. Its folders are not read.
func folder(path string) (files, ignored []string, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, nil, err
	}
	var folders, names []string
	for _, e := range entries {
		switch {
		case hidden(e.Name()):
		case isFolder(path, e):
			folders = append(folders, filepath.Join(path, e.Name())+"/"+dataWithin(filepath.Join(path, e.Name())))
		default:
			names = append(names, filepath.Join(path, e.Name()))
		}
	}
	files, ignored = dataAmong(names)
	if len(files) == 0 && slices.ContainsFunc(ignored, func(f string) bool { return filepath.Ext(f) == ".arrow" }) {
		return nil, nil, fmt.Errorf("%s: a data set in Arrow files; write it as Parquet, in Python: datasets.load_from_disk(FOLDER).to_parquet(OUT)", path)
	}
	if len(files) == 0 {
		return nil, nil, fmt.Errorf("%s: a folder without files of JSONL, JSON, CSV, Parquet or plain text; its other files: %s; its folders: %s", path, enumerate(ignored), enumerate(folders))
	}
	return files, append(ignored, folders...), nil
}

// isFolder reports whether an entry of a folder is one, perhaps by a link.
func isFolder(dir string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(dir, e.Name()))
	return err == nil && info.IsDir()
}

// dataWithin says, behind a folder's name, that there is data in it at any depth, which is not read.
func dataWithin(dir string) (note string) {
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error { // what cannot be read is not known
		if err == nil && !e.IsDir() && isData(path) && !isAside(e.Name()) {
			note = " (a folder with data; give it too)"
			return fs.SkipAll
		}
		return nil
	})
	return note
}

// dataAmong splits files by their names into data and others. Texts beside other data describe it.
func dataAmong(names []string) (data, others []string) {
	var texts []string
	for _, name := range names {
		switch {
		case !isData(name) || isAside(filepath.Base(name)):
			others = append(others, name)
		case newName(name).extension == ".txt":
			texts = append(texts, name)
		default:
			data = append(data, name)
		}
	}
	if len(data) == 0 {
		return texts, others
	}
	return data, append(others, texts...)
}

// isAside reports whether a file in a folder only describes the data.
func isAside(name string) bool {
	name = strings.ToLower(name)
	switch strings.TrimSuffix(name, filepath.Ext(name)) {
	case "readme", "license", "licence", "notice", "changelog", "requirements", "dataset_info", "dataset_infos", "dataset_dict", "state", "config", "metadata":
		return true
	}
	return false
}
