package engine

import (
	"slices"
	"testing"
)

// TestStopStringsAcrossTokens: a stop string ends the turn wherever the tokens
// divide it, and the text ends before it.
func TestStopStringsAcrossTokens(t *testing.T) {
	for _, c := range []struct {
		pieces []string
		text   string
		end    End
	}{
		{[]string{"Yes.", "\n\nHuman:", "no"}, "Yes.", EndStop},
		{[]string{"Yes.\n", "\nHu", "man", ": no"}, "Yes.", EndStop},
		{[]string{"\n", "\n", "H", "u", "m", "a", "n", ":"}, "", EndStop},
		{[]string{"Human: yes", "\nHuman:"}, "Human: yes\nHuman:", ""},
		{[]string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}, "abcdefghi", EndLength},
		{[]string{"END\n\nHuman:"}, "", EndStop}, // the earlier of two
	} {
		turn := &turn{request: &Request{MaxTokens: 9, Stop: []string{"\n\nHuman:", "END", ""}}}
		var end End
		for i, p := range c.pieces {
			if end = turn.add(Token(i), []byte(p)); end != "" {
				break
			}
		}
		if got := turn.result(end, nil).Text; end != c.end || got != c.text {
			t.Errorf("%q: %q ended by %q, want %q by %q", c.pieces, got, end, c.text, c.end)
		}
	}
}

// What a turn says is told after every token, and never with a part of the stop string that ends it behind its end.
func TestSaidIsTheTextSoFar(t *testing.T) {
	var said []string
	turn := newTurn(&Request{Tokens: []Token{1}, MaxTokens: 9, Stop: []string{"zz"}, Said: func(text []byte) { said = append(said, string(text)) }}, 0, 0, 0, 99)
	for i, piece := range []string{"a", "bz", "z"} {
		turn.add(Token(i), []byte(piece))
	}
	if want := []string{"a", "abz", "ab"}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
}
