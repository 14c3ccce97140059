package revise

import (
	"fmt"
	"testing"

	"amend/engine/chat"
)

// TestSamplePairs: the rows of a prompt are compared two by two, or all with the first, and one whose other half failed with nobody.
func TestSamplePairs(t *testing.T) {
	row := func(of string, n int, text, failed string) Record {
		return Record{ID: fmt.Sprint(of, "~", n), Sample: &Sample{Of: of, Number: n}, Error: failed,
			Messages: []chat.Message{{Role: chat.User, Text: of}}, Turns: []Turn{{Kind: Response, Text: text}}}
	}
	rows := []Record{
		row("a", 1, "one", ""), row("b", 1, "x", "too long"), row("a", 2, "two", ""), row("b", 2, "y", ""),
		row("a", 3, "three", ""), row("b", 3, "z", ""), row("b", 4, "w", ""), {ID: "alone"},
	}
	for first, want := range map[bool]string{
		false: "[a~1,a~2 one two a b~3,b~4 z w b]",
		true:  "[a~1,a~2 one two a a~1,a~3 one three a]",
	} {
		s := SamplePairs{AgainstFirst: first}
		var got []string
		for _, rec := range rows {
			if p, ok := s.Add(rec); ok {
				got = append(got, fmt.Sprint(p.ID, " ", p.First, " ", p.Second, " ", p.Messages[0].Text))
			}
		}
		if fmt.Sprint(got) != want {
			t.Errorf("against the first %v: %v", first, got)
		}
	}
}
