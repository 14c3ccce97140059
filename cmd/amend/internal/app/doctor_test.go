package app

import (
	"slices"
	"strings"
	"testing"
)

// TestFastTypes: what is said of weights follows from the CPU's features.
func TestFastTypes(t *testing.T) {
	for _, c := range []struct {
		features []string
		want     string
	}{
		{[]string{"AVX", "AVX2"}, "Q4_K"},
		{[]string{"NEON"}, "NEON"},
		{[]string{"ARM_FMA"}, "NEON"},
		{[]string{"AVX"}, "not known"},
		{nil, "not known"},
	} {
		got := fastTypes(func(f string) bool { return slices.Contains(c.features, f) })
		if !strings.Contains(got, c.want) {
			t.Errorf("%v: %q lacks %q", c.features, got, c.want)
		}
	}
}
