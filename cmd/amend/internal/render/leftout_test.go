package render

import (
	"strings"
	"testing"

	"amend/engine/revise"
)

// TestFlagAdvice: the advice is about the most frequent flag, and says of how many rows it is true.
func TestFlagAdvice(t *testing.T) {
	for _, c := range []struct {
		flags map[revise.Flag]int
		want  string
	}{
		{map[revise.Flag]int{revise.Cut: 1}, "the flagged row is cut at the token limit: raise it\nbin/amend run --out r --max-tokens N --redo"},
		{map[revise.Flag]int{revise.Cut: 2}, "all flagged rows are cut"},
		{map[revise.Flag]int{revise.Cut: 2, revise.LeadIn: 1}, "most flagged rows are cut"},
		{map[revise.Flag]int{revise.Cut: 2, revise.LeadIn: 1, revise.Empty: 1}, "2 of 4 flagged rows are cut"},
		{map[revise.Flag]int{revise.Cut: 1, revise.Thinking: 1}, "1 of 2 flagged rows are cut at the token limit while thinking"},
		{map[revise.Flag]int{revise.LeadIn: 3}, "all flagged rows are so for lead-in: try a larger model"},
	} {
		if got := strings.Join(flagAdvice("bin/amend", "r", c.flags), "\n"); !strings.HasPrefix(got, c.want) {
			t.Errorf("%v: %q, want %q…", c.flags, got, c.want)
		}
	}
}
