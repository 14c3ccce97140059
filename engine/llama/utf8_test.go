package llama_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"amend/engine/llama"
)

// However bytes are cut into pieces, the text is the same, every part of it is
// whole characters, and no more than three bytes wait.
func TestStreamer(t *testing.T) {
	text := rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) }),
		rapid.SliceOf(rapid.Byte()),
		rapid.SliceOf(rapid.SampledFrom([]byte{0xf0, 0x9f, 0xa6, 0x99, 0xe2, 0x82, 0xac, 'a', 0xc3, 0xff, 0x80})),
	)
	rapid.Check(t, func(t *rapid.T) {
		raw := text.Draw(t, "bytes")
		want := string([]rune(string(raw)))
		var s llama.Streamer
		var got strings.Builder
		for rest := raw; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			part := s.Write(rest[:n])
			if !utf8.ValidString(part) {
				t.Fatalf("%q is cut", part)
			}
			if s.Pending() > 3 {
				t.Fatalf("%d bytes wait", s.Pending())
			}
			got.WriteString(part)
			rest = rest[n:]
		}
		got.WriteString(s.Flush())
		if got.String() != want {
			t.Fatalf("got %q, want %q", got.String(), want)
		}
		if s.Flush() != "" || s.Pending() != 0 {
			t.Fatal("something is left after Flush")
		}
	})
}

func TestStreamerWaits(t *testing.T) {
	var s llama.Streamer
	llamaBytes := []byte("🦙")
	for _, b := range llamaBytes[:3] {
		if got := s.Write([]byte{b}); got != "" {
			t.Errorf("early text %q", got)
		}
	}
	if got := s.Write(llamaBytes[3:]); got != "🦙" {
		t.Errorf("got %q", got)
	}
	s.Write(llamaBytes[:2])
	if got := s.Flush(); got != "\uFFFD\uFFFD" {
		t.Errorf("flush: %q", got)
	}
}
