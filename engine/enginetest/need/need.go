// Package need keeps tests from being skipped unseen, for tests only.
//
// A test that needs what a machine may lack skips there. Where it must not, as
// in CI, AMEND_REQUIRE names the needs that must be met, separated by commas, or
// is "all": then the test fails.
package need

import (
	"fmt"
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

// needs lists the needs.
func needs() []Need {
	return []Need{Linux, Namespaces, Children, Unprivileged, Readers, Python, Data}
}

// Unmet ends a test whose need is not met: it skips it, or fails it where
// AMEND_REQUIRE asks for the need.
func Unmet(t testing.TB, need Need, format string, args ...any) {
	t.Helper()
	must, err := required(os.Getenv("AMEND_REQUIRE"), need)
	if err != nil {
		t.Fatal(err)
	}
	if must {
		t.Fatalf(string(need)+" is required here (AMEND_REQUIRE): "+format, args...)
	}
	t.Skipf(format, args...)
}

// required reports whether a list names a need. A name that is not one of a need is an error.
func required(list string, need Need) (must bool, err error) {
	if list == "" {
		return false, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		if name != "all" && !slices.Contains(needs(), Need(name)) {
			return false, fmt.Errorf("AMEND_REQUIRE names %q: it must be all, or a list of %v", name, needs())
		}
		must = must || name == "all" || name == string(need)
	}
	return must, nil
}
