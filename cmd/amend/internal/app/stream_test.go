package app

import "testing"

// The beginning of a character is not told before the rest is there.
func TestWhole(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "a": 1, "é": 2, "\xc3": 0, "a\xe6\x97": 1, "a日": 4, "\xf0\x9f\x98": 0, "a\x80": 2, "\xff": 1, "a\xf0\x9f\x98\x80": 5,
	} {
		if got := whole([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
