package models

import (
	"slices"
	"testing"
)

func TestInexact(t *testing.T) {
	if got := Inexact([]string{"Q4_1", "Q8_0", "F32"}); len(got) > 0 {
		t.Errorf("%v of types that were measured", got)
	}
	types := []string{"Q4_K", "Q6_K", "IQ4_XS", "F32"}
	if got := Inexact(types); !slices.Equal(got, []string{"Q4_K", "IQ4_XS"}) || types[1] != "Q6_K" {
		t.Errorf("%v, and %v", got, types)
	}
}
