package records

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Expand returns the files that paths name, in the order in which they are read. A folder stands for the files of data in it,
// by name, and a path with *, ? or [ that is no file for those that match it, by name. ignored are the other files of the
// folders.
func Expand(paths []string) (files, ignored []string, err error) {
	for _, path := range paths {
		found, rest, err := expand(path)
		if err != nil {
			return nil, nil, err
		}
		files, ignored = append(files, found...), append(ignored, rest...)
	}
	seen := map[string]bool{}
	for _, f := range files {
		if seen[filepath.Clean(f)] {
			return nil, nil, fmt.Errorf("%s is given twice", f)
		}
		seen[filepath.Clean(f)] = true
	}
	return files, ignored, nil
}

// expand returns the files of one path.
func expand(path string) (files, ignored []string, err error) {
	if path == "-" {
		return []string{path}, nil, nil
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return folder(path)
	case err == nil || !strings.ContainsAny(path, "*?["):
		return []string{path}, nil, nil // that a file is missing is said when it is opened
	}
	files, err = filepath.Glob(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	files = slices.DeleteFunc(files, func(f string) bool {
		info, err := os.Stat(f)
		return err == nil && info.IsDir()
	})
	if len(files) == 0 {
		return nil, nil, fmt.Errorf("%s: no file matches: %w", path, fs.ErrNotExist)
	}
	return files, nil, nil
}

// folder returns the files of data in a folder, and the others.
func folder(path string) (files, ignored []string, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, nil, err
	}
	var folders, names []string
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir():
			folders = append(folders, e.Name())
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
	return files, ignored, nil
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

// isAside reports whether a file in a folder describes the data and is none.
func isAside(name string) bool {
	name = strings.ToLower(name)
	switch strings.TrimSuffix(name, filepath.Ext(name)) {
	case "readme", "license", "licence", "notice", "changelog", "requirements", "dataset_info", "dataset_infos", "dataset_dict", "state", "config", "metadata":
		return true
	}
	return false
}
