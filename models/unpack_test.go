package models

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"amend/models/testbed"
)

// TestUnpack: the embedded model is written once, mended where its file is damaged, and goes elsewhere when the cache
// cannot be written.
func TestUnpack(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	c := place(t)
	path, err := c.Resolve(testbed.Name)
	if err != nil || filepath.Dir(filepath.Dir(path)) != filepath.Dir(c.Own) {
		t.Fatalf("unpacked to %s, %v", path, err)
	}
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Generative(); err != nil {
		t.Error(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Resolve(testbed.Name)
	after, statErr := os.Stat(path)
	if err != nil || statErr != nil || again != path || !os.SameFile(before, after) {
		t.Errorf("unpacked again to %s, %v, %v", again, err, statErr)
	}
	if err := os.WriteFile(path, testbed.File()[:1000], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Resolve(testbed.Name); err != nil {
		t.Fatal(err)
	}
	if mended, err := os.ReadFile(path); err != nil || !bytes.Equal(mended, testbed.File()) {
		t.Errorf("a damaged file is taken as it is (%v)", err)
	}
	if v, err := Verify(t.Context(), path, ""); err != nil || v.Expected != "embedded model testbed" {
		t.Errorf("verify says %+v, %v", v, err)
	}

	blocked := Caches{Own: filepath.Join(file(t, 1, t.TempDir(), "a file"), "models")}
	elsewhere, err := blocked.Resolve(testbed.Name)
	if err != nil || filepath.Dir(filepath.Dir(filepath.Dir(elsewhere))) != filepath.Clean(os.TempDir()) {
		t.Errorf("with a cache that cannot be written it goes to %s, %v", elsewhere, err)
	}
	if list := c.List(); len(list) != 1 || list[0].Name != testbed.Name || list[0].Info == nil {
		t.Errorf("listed as %+v", list)
	}
}
