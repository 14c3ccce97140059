package render

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

// Whatever a model writes, no line is wider than the page and nothing reaches the terminal but text.
func TestWrappedFitsAndIsHarmless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out strings.Builder
		p := &Page{w: &out, width: rapid.IntRange(40, 100).Draw(t, "width")}
		runes := rapid.OneOf(rapid.Rune(), rapid.RuneFrom([]rune("ab \n\t\r\x1b[\u009b\u202e日é")), rapid.RuneFrom([]rune("abcd-  ")))
		text := rapid.StringOfN(runes, rapid.IntRange(0, 300).Draw(t, "least"), 600, -1).Draw(t, "text")
		p.Wrapped(rapid.IntRange(0, 4).Draw(t, "depth"), text)
		for _, line := range strings.Split(out.String(), "\n") {
			if n := ansi.StringWidth(line); n > p.width {
				t.Fatalf("%d cells in a page of %d: %q", n, p.width, line)
			}
			if strings.ContainsAny(line, "\x1b\u009b\u202e\r\a\b") {
				t.Fatalf("control character in %q", line)
			}
		}
		shown := strings.Join(strings.Fields(out.String()), "")
		if want := strings.Join(strings.Fields(Printable(text)), ""); shown != want && shown != "(empty)" {
			t.Fatalf("text was lost:\n%q\n%q", shown, want)
		}
	})
}
