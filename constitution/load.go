package constitution

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

//go:embed *.yaml
var builtin embed.FS

const extension = ".yaml"

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

// Load reads an embedded document by its name or, where there is none of that name, the file at that path.
// Faults in the document are returned as Problems, all of them at once. A name that is neither embedded nor
// a file is an error that lists the names there are and wraps fs.ErrNotExist.
func Load(nameOrPath string) (*Document, error) {
	if data, err := builtin.ReadFile(nameOrPath + extension); err == nil {
		return Parse(nameOrPath+extension, data)
	}
	data, err := os.ReadFile(nameOrPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load constitution %q: neither an embedded constitution (%s) nor a file%s: %w",
			nameOrPath, strings.Join(Names(), ", "), suggest(nameOrPath, Names()), fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("load constitution: %w", err)
	}
	return Parse(nameOrPath, data)
}
