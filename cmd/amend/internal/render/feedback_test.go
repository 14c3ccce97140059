package render

import (
	"testing"

	"amend/engine/feedback"
)

// TestSkill: where one side is always the better one there is no base rate's error to remove.
func TestSkill(t *testing.T) {
	empty := feedback.Bin{}
	for _, c := range []struct {
		bins []feedback.Bin
		want string
	}{
		{[]feedback.Bin{empty, {Pairs: 2, Share: 0.5}}, "skill 0.25"},
		{[]feedback.Bin{{Pairs: 1, Share: 0}, {Pairs: 1, Share: 1}}, "skill 0.25"},
		{[]feedback.Bin{empty, {Pairs: 2, Share: 1}}, "no skill: one side is better in all pairs"},
		{[]feedback.Bin{empty, {Pairs: 2, Share: 0}}, "no skill: one side is better in all pairs"},
	} {
		if got := skill("skill", 0.25, c.bins); got != c.want {
			t.Errorf("%+v: %s, want %s", c.bins, got, c.want)
		}
	}
}
