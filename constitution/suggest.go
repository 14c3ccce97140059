package constitution

import (
	"fmt"

	"amend/engine/nearest"
)

// suggest returns ` (did you mean "x"?)` for the candidate most like a mistyped
// name, or nothing when none is like it.
func suggest(name string, candidates []string) string {
	near := nearest.Names(name, candidates)
	if len(near) == 0 {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", near[0])
}
