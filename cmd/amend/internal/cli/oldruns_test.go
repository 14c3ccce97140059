package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestOldRuns continues runs and labels that an older version made (testdata/oldruns), and computes nothing again.
func TestOldRuns(t *testing.T) { testscript.Run(t, oldRuns("continue.txtar")) }

// oldRuns runs a script of testdata/oldruns in a folder with what is in format2 there.
func oldRuns(script string) testscript.Params {
	return testscript.Params{
		Files: []string{filepath.Join("testdata", "oldruns", script)},
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("LD_LIBRARY_PATH", os.Getenv("LD_LIBRARY_PATH"))
			env.Setenv("DYLD_LIBRARY_PATH", os.Getenv("DYLD_LIBRARY_PATH"))
			return os.CopyFS(env.WorkDir, os.DirFS(filepath.Join("testdata", "oldruns", "format2")))
		},
	}
}
