// Package need keeps tests from being skipped unseen, for tests only.
//
// A test that needs what a machine may lack skips there. Where it must not, as
// in CI, AMEND_REQUIRE names the needs that must be met, separated by commas, or
// is "all": then the test fails.
package need

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Need is what a machine may lack.
type Need string

// The needs.
const (
	Linux        Need = "linux"        // what only Linux says or limits
	Namespaces   Need = "userns"       // user namespaces, in which a test may mount file systems
	Children     Need = "children"     // a kernel that tells the children of a process
	Unprivileged Need = "unprivileged" // a user who may not write everywhere
	Readers      Need = "readers"      // what scripts/readers/fetch installs
	Python       Need = "python"       // $PYTHON with the requirements of the scripts
	Data         Need = "data"         // real data sets
)

// Unmet ends a test whose need is not met: it skips it, or fails it where
// AMEND_REQUIRE asks for the need.
func Unmet(t testing.TB, need Need, format string, args ...any) {
	t.Helper()
	if required(os.Getenv("AMEND_REQUIRE"), need) {
		t.Fatalf(string(need)+" is required here (AMEND_REQUIRE): "+format, args...)
	}
	t.Skipf(format, args...)
}

func required(list string, need Need) bool {
	names := strings.Split(list, ",")
	return slices.Contains(names, "all") || slices.Contains(names, string(need))
}
