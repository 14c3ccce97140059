package need

import "testing"

func TestRequired(t *testing.T) {
	for _, c := range []struct {
		list string
		need Need
		want bool
	}{
		{"", Readers, false},
		{"readers", Readers, true},
		{"userns,readers", Readers, true},
		{"userns", Readers, false},
		{"all", Readers, true},
	} {
		if got := required(c.list, c.need); got != c.want {
			t.Errorf("AMEND_REQUIRE=%s requires %s: %v, want %v", c.list, c.need, got, c.want)
		}
	}
}
