package models

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"amend/models/testbed"
)

// Caches says where models are looked for, in this order.
// Those of other programs are read, never written.
type Caches struct {
	Extra    []string // the directories of AMEND_MODELS
	Own      string   // amend's own, which `make models` fills
	HF       string   // Hugging Face's hub directory
	Ollama   []string // Ollama's directories of models
	LMStudio string   // LM Studio's
}

// ollamaService is where Ollama keeps models when it runs as a service of a Linux system.
const ollamaService = "/usr/share/ollama/.ollama/models"

// CachesFrom derives the places from the environment, as the owners of each convention document them:
// AMEND_MODELS is a list of directories, XDG_CACHE_HOME must be absolute to count, HF_HUB_CACHE goes before HF_HOME.
// OLLAMA_MODELS is in place of Ollama's other directories.
func CachesFrom(getenv func(string) string) Caches {
	var c Caches
	for _, dir := range filepath.SplitList(getenv("AMEND_MODELS")) {
		if dir != "" {
			c.Extra = append(c.Extra, dir)
		}
	}
	user := getenv("HOME")
	base := getenv("XDG_CACHE_HOME")
	if !filepath.IsAbs(base) {
		base = ""
		if user != "" {
			base = filepath.Join(user, ".cache")
		}
	}
	if base != "" {
		c.Own = filepath.Join(base, "amend", "models")
		c.HF = filepath.Join(base, "huggingface", "hub")
	}
	if home := getenv("HF_HOME"); home != "" {
		c.HF = filepath.Join(home, "hub")
	}
	c.HF = cmp.Or(getenv("HF_HUB_CACHE"), c.HF)
	if user != "" {
		c.Ollama = []string{filepath.Join(user, ".ollama", "models"), ollamaService}
		c.LMStudio = filepath.Join(user, ".lmstudio", "models")
	}
	if dir := getenv("OLLAMA_MODELS"); dir != "" {
		c.Ollama = []string{dir}
	}
	return c
}

// flat lists the directories that hold models directly.
func (c Caches) flat() []string {
	dirs := slices.Clone(c.Extra)
	if c.Own != "" {
		dirs = append(dirs, c.Own)
	}
	return dirs
}

// Found is one model in a cache. A split model is one, by its first part.
type Found struct {
	// Name is what --model takes: that of a known model, or the file's name without .gguf, for Hugging Face and LM Studio with owner and repository
	// before it, for Ollama its own name with the tag.
	Name   string `json:"name"`
	Path   string `json:"path"`   // of the file or link
	Source string `json:"source"` // "embedded", "AMEND_MODELS", "amend", "huggingface", "ollama" or "lmstudio"
	Info   *Info  `json:"info,omitempty"`
	Fault  string `json:"fault,omitempty"` // why the file cannot be read, with Info nil
}

// Names lists what the caches hold, without opening any file. Places that are absent or cannot be read hold nothing.
func (c Caches) Names() []Found {
	var all []Found
	for i, dir := range c.flat() {
		source := "AMEND_MODELS"
		if i >= len(c.Extra) {
			source = "amend"
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if !e.IsDir() && isModelName(e.Name()) {
				all = append(all, Found{Name: cmp.Or(knownName(e), modelName(e.Name())), Path: filepath.Join(dir, e.Name()), Source: source})
			}
		}
	}
	return slices.Concat(all, c.hfNames(), c.ollamaNames(), c.lmStudioNames())
}

// knownName is the name of the known model that a file is; empty for another.
func knownName(e fs.DirEntry) string {
	for _, k := range KnownModels() {
		if info, err := e.Info(); e.Name() == k.File && err == nil && uint64(info.Size()) == k.Size {
			return k.Name
		}
	}
	return ""
}

// hfNames lists hub/models--ORG--REPO/snapshots/REVISION/**.gguf, which are links into blobs/. A file that
// several revisions have comes once for each, in the order of their hashes.
func (c Caches) hfNames() []Found {
	if c.HF == "" {
		return nil
	}
	snapshots, err := filepath.Glob(filepath.Join(escapeGlob(c.HF), "models--*", "snapshots", "*"))
	if err != nil {
		return nil // the pattern is well formed
	}
	var all []Found
	for _, dir := range snapshots {
		folder := filepath.Base(filepath.Dir(filepath.Dir(dir)))
		repo := strings.ReplaceAll(strings.TrimPrefix(folder, "models--"), "--", "/")
		for _, path := range ggufBelow(dir) {
			all = append(all, Found{Name: repo + "/" + modelName(filepath.Base(path)), Path: path, Source: "huggingface"})
		}
	}
	return all
}

// lmStudioNames lists PUBLISHER/REPO/FILE.gguf below LM Studio's directory.
func (c Caches) lmStudioNames() []Found {
	var all []Found
	if c.LMStudio == "" {
		return nil
	}
	for _, path := range ggufBelow(c.LMStudio) {
		rel, err := filepath.Rel(c.LMStudio, path)
		if err != nil {
			continue // it is below
		}
		dir, file := filepath.Split(rel)
		all = append(all, Found{Name: filepath.ToSlash(dir) + modelName(file), Path: path, Source: "lmstudio"})
	}
	return all
}

// ggufBelow lists the models in a directory and below it. What cannot be read is left out, as everywhere in Names.
func ggufBelow(dir string) (paths []string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && isModelName(d.Name()) {
			paths = append(paths, path)
		}
		return nil
	})
	return paths
}

// List is the embedded model and Names, with every model's header read.
func (c Caches) List() []Found {
	embedded := Found{Name: testbed.Name, Source: "embedded"}
	path, err := c.unpack()
	if embedded.Path = path; err != nil {
		embedded.Fault = err.Error()
	}
	all := append([]Found{embedded}, c.Names()...)
	for i := range all {
		if all[i].Fault != "" {
			continue
		}
		m, err := Open(all[i].Path)
		if err != nil {
			all[i].Fault = err.Error()
			continue
		}
		info := m.Info()
		all[i].Info = &info
	}
	return all
}

// isModelName tells a model, or the first part of one, by its file name. A projector of images, mmproj-…, is no model.
func isModelName(name string) bool {
	if filepath.Ext(name) != ".gguf" || strings.HasPrefix(name, "mmproj") {
		return false
	}
	part := splitName.FindStringSubmatch(name)
	return part == nil || part[2] == "00001"
}

// modelName is a file name without .gguf and without the part number of a split model.
func modelName(file string) string {
	if part := splitName.FindStringSubmatch(file); part != nil {
		return part[1]
	}
	return strings.TrimSuffix(file, ".gguf")
}

// escapeGlob keeps a directory's own special characters out of a pattern.
func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// Places lists every directory looked in, in order.
func (c Caches) Places() []string {
	places := c.flat()
	if c.HF != "" {
		places = append(places, c.HF)
	}
	places = append(places, c.Ollama...)
	if c.LMStudio != "" {
		places = append(places, c.LMStudio)
	}
	return places
}
