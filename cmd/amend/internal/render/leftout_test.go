package render

import (
	"strings"
	"testing"

	"amend/engine/check"
)

// TestFlagAdvice: the advice is about the most frequent flag, and says of how many rows it is true.
func TestFlagAdvice(t *testing.T) {
	for _, c := range []struct {
		flags map[check.Flag]int
		want  string
	}{
		{map[check.Flag]int{check.Cut: 1}, "the flagged row is cut at the token limit: raise it\nbin/amend run --out r --max-tokens N --redo"},
		{map[check.Flag]int{check.Cut: 2}, "all flagged rows are cut"},
		{map[check.Flag]int{check.Cut: 2, check.LeadIn: 1}, "most flagged rows are cut"},
		{map[check.Flag]int{check.Cut: 2, check.LeadIn: 1, check.Empty: 1}, "2 of 4 flagged rows are cut"},
		{map[check.Flag]int{check.Cut: 1, check.Thinking: 1}, "1 of 2 flagged rows are cut at the token limit while thinking"},
		{map[check.Flag]int{check.LeadIn: 3}, "all flagged rows are so for lead-in: try a larger model"},
	} {
		if got := strings.Join(flagAdvice("bin/amend", "r", c.flags), "\n"); !strings.HasPrefix(got, c.want) {
			t.Errorf("%v: %q, want %q…", c.flags, got, c.want)
		}
	}
}
