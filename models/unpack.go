package models

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"amend/engine/atomicfile"
	"amend/models/testbed"
)

// unpack writes the embedded testbed model to where llama.cpp can read it: beside amend's own models, or else in the
// system's folder for temporary files. A file that is there already is used if its bytes are the model's.
func (c Caches) unpack() (string, error) {
	var errs []error
	for _, dir := range c.unpacked() {
		path := filepath.Join(dir, testbed.FileName)
		if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, testbed.File()) {
			return path, nil
		}
		err := writeFile(path, testbed.File())
		if err == nil {
			return path, nil
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("unpacking the testbed model, which llama.cpp reads from a file: %w", errors.Join(errs...))
}

// unpackedTo begins the name of a folder that the testbed model is unpacked to.
const unpackedTo = "testbed-"

// unpacked lists the folders that the testbed model may be unpacked to. Each version has its own, so that two
// of amend do not write over each other's.
func (c Caches) unpacked() []string {
	version := unpackedTo + testbed.SHA256()[:12]
	var dirs []string
	if c.Own != "" {
		dirs = append(dirs, filepath.Join(filepath.Dir(c.Own), version))
	}
	return append(dirs, filepath.Join(os.TempDir(), fmt.Sprintf("amend-%d", os.Getuid()), version))
}

// writeFile writes a file that appears under its name when it is complete, and its folder.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, data)
}
