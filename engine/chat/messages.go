package chat

import (
	"context"
	"fmt"
	"slices"
)

// Messages is a layout for conversations that are sent to a server as messages: no template and no vocabulary of a model is
// known here. It is Framer and Tokenizer in one. Each byte of a text is a token, and each role has one that stands before
// what it says, so that the ids of a conversation name it, and Read finds the messages in them again.
type Messages struct{}

// firstRole is the id of the first role: it follows those of bytes.
const firstRole Token = 256

// speakers are the roles in the order of their ids.
func speakers() []Role { return []Role{System, User, Assistant} }

// Stops implements Framer: a server ends turns itself.
func (Messages) Stops() []string { return nil }

// Think implements Framer. Most models that think write these marks, where their server does not take them out.
func (Messages) Think() ThinkTags { return ThinkTags{Open: "<think>", Close: "</think>"} }

// Frame implements Framer: each message stands behind its role alone.
func (Messages) Frame(_ context.Context, roles []Role) (Frame, error) {
	f := Frame{TrimLeft: make([]bool, len(roles)), TrimRight: make([]bool, len(roles))}
	for _, r := range append(slices.Clone(roles), Assistant) {
		if !slices.Contains(speakers(), r) {
			return Frame{}, fmt.Errorf("a conversation of messages has no place for the role %q", r)
		}
		f.Pieces = append(f.Pieces, string(r))
	}
	return f, nil
}

// Tokenize implements Tokenizer: a special text is a role, any other is its bytes.
func (Messages) Tokenize(text string, special, _ bool) ([]Token, error) {
	if special {
		return []Token{firstRole + Token(slices.Index(speakers(), Role(text)))}, nil
	}
	ids := make([]Token, len(text))
	for i := range len(text) {
		ids[i] = Token(text[i])
	}
	return ids, nil
}

// Piece implements Tokenizer.
func (m Messages) Piece(id Token) []byte {
	if m.Control(id) {
		return nil
	}
	return []byte{byte(id)}
}

// Control implements Tokenizer.
func (Messages) Control(id Token) bool { return id >= firstRole }

// BOS implements Tokenizer: there is none.
func (Messages) BOS() Token { return -1 }

// Read returns the messages of a conversation in this layout, without the assistant's turn that is to come.
func (m Messages) Read(conversation []Token) []Message {
	var out []Message
	var text []byte
	for _, id := range conversation {
		if !m.Control(id) {
			text = append(text, byte(id))
			continue
		}
		if n := len(out); n > 0 {
			out[n-1].Text, text = string(text), nil
		}
		out = append(out, Message{Role: speakers()[id-firstRole]})
	}
	if len(out) == 0 {
		return nil
	}
	return out[:len(out)-1]
}
