package models

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ollamaLayer is the media type of the weights in an Ollama model.
const ollamaLayer = "application/vnd.ollama.image.model"

// The host and the owner that names of Ollama models leave out.
const (
	ollamaHost  = "registry.ollama.ai"
	ollamaOwner = "library"
)

// ollamaNames lists what Ollama has pulled. A model is a manifest, manifests/HOST/OWNER/NAME/TAG, which names its weights
// by their digest: the file blobs/sha256-DIGEST. Only whole models are listed.
func (c Caches) ollamaNames() []Found {
	var all []Found
	for _, dir := range c.Ollama {
		manifests := filepath.Join(dir, "manifests")
		// An unreadable folder is left out, as everywhere in Names.
		_ = filepath.WalkDir(manifests, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil //nolint:nilerr // see above
			}
			rel, err := filepath.Rel(manifests, path)
			if err != nil {
				return nil //nolint:nilerr // WalkDir gives paths below its root
			}
			name, ok := ollamaName(filepath.ToSlash(rel))
			if blob := ollamaBlob(dir, path); ok && blob != "" {
				all = append(all, Found{Name: name, Path: blob, Source: "ollama"})
			}
			return nil
		})
	}
	return all
}

// Shown is how a person knows the model in a file: by its name in Ollama's cache, whose files are named by their hashes, else
// by its path.
func (c Caches) Shown(path string) string {
	blob := filepath.Base(path)
	if !strings.HasPrefix(blob, ollamaPrefix) {
		return path
	}
	for _, f := range c.ollamaNames() {
		if filepath.Base(f.Path) == blob {
			return f.Name
		}
	}
	return path
}

// ollamaName is the name by which Ollama knows the manifest HOST/OWNER/NAME/TAG.
func ollamaName(manifest string) (name string, ok bool) {
	parts := strings.Split(manifest, "/")
	last := len(parts) - 1
	if last < 2 {
		return "", false
	}
	if parts[0] == ollamaHost {
		parts, last = parts[1:], last-1
		if parts[0] == ollamaOwner {
			parts, last = parts[1:], last-1
		}
	}
	if last < 1 {
		return "", false
	}
	return strings.Join(parts[:last], "/") + ":" + parts[last], true
}

// ollamaBlob is the file of the weights that a manifest names; empty where it names none, or the file is not there.
func ollamaBlob(dir, manifest string) string {
	text, err := os.ReadFile(manifest)
	if err != nil {
		return ""
	}
	var m struct {
		Layers []struct{ MediaType, Digest string }
	}
	if json.Unmarshal(text, &m) != nil {
		return ""
	}
	for _, l := range m.Layers {
		digest, ok := strings.CutPrefix(l.Digest, "sha256:")
		if l.MediaType != ollamaLayer || !ok || !hexSHA256.MatchString(digest) {
			continue
		}
		path := filepath.Join(dir, "blobs", ollamaPrefix+digest)
		if stat, err := os.Stat(path); err == nil && stat.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// ollamaPrefix is how names of Ollama's files begin; the SHA-256 follows.
const ollamaPrefix = "sha256-"
