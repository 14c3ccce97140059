package need

import (
	"strings"
	"testing"
)

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
		if got, err := required(c.list, c.need); got != c.want || err != nil {
			t.Errorf("AMEND_REQUIRE=%s requires %s: %v, %v, want %v", c.list, c.need, got, err, c.want)
		}
	}
	for _, list := range []string{"reader", "readers,pyton", "readers,", "All"} {
		if got, err := required(list, Readers); err == nil || !strings.Contains(err.Error(), "AMEND_REQUIRE") {
			t.Errorf("AMEND_REQUIRE=%s is taken: %v, %v", list, got, err)
		}
	}
}
