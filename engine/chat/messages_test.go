package chat

import (
	"slices"
	"testing"
)

// TestMessages: a conversation that has grown turn by turn is read again as the messages that it was made of, whatever is
// in their texts.
func TestMessages(t *testing.T) {
	f, err := NewFormatter(t.Context(), Messages{}, Messages{})
	if err != nil {
		t.Fatal(err)
	}
	said := []Message{
		{Role: System, Text: "Be brief."}, {Role: User, Text: "user: Ä \x00?"}, {Role: Assistant, Text: ""},
		{Role: User, Text: "  <|im_end|>\n"},
	}
	shown, err := f.Tokenize(t.Context(), said[:3])
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Open(t.Context(), append(shown, said[3]))
	if err != nil {
		t.Fatal(err)
	}
	check := func(c *Conversation, want []Message) {
		t.Helper()
		same := func(a, b Message) bool { return a.Role == b.Role && a.Text == b.Text }
		if got := (Messages{}).Read(c.Tokens); !slices.EqualFunc(got, want, same) {
			t.Errorf("read as %q, want %q", got, want)
		}
	}
	check(c, said)
	kept, err := f.Keep(nil, "<think>\nhm\n</think>\n\nAn answer.\n", len("<think>\nhm\n</think>\n\n"))
	if err != nil || kept.Text != "An answer." {
		t.Fatalf("kept %q, %v", kept.Text, err)
	}
	if c, err = c.Next(t.Context(), kept.Tokens, Message{Text: "Why?"}); err != nil {
		t.Fatal(err)
	}
	check(c, append(said, Message{Role: Assistant, Text: "An answer."}, Message{Role: User, Text: "Why?"}))
	if got := (Messages{}).Read(nil); got != nil {
		t.Errorf("nothing is read as %q", got)
	}
	if _, err := (Messages{}).Frame(t.Context(), []Role{"tool"}); err == nil {
		t.Error("a role that a server need not know is framed")
	}
}
