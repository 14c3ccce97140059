package constitution

import (
	"fmt"

	"github.com/agnivade/levenshtein"
)

// suggest returns ` (did you mean "x"?)` for the candidate closest to a mistyped name, or nothing when none
// is close enough for a slip of the finger.
func suggest(name string, candidates []string) string {
	best, distance := "", (len(name)+2)/3+1
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(name, c); d < distance {
			best, distance = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}
