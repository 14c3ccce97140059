// Package chat turns messages into token ids: the text that a template puts
// around contents, and the contents themselves.
//
// The two never mix. A template is rendered once for each shape of a
// conversation (its roles), with marks where contents go; contents are
// tokenized on their own, with special parsing off, or come as the ids that
// the model generated. So no text of a user or a model can become a control
// token, and an earlier turn is never rendered or tokenized again.
package chat

import (
	"iter"
	"strings"
)

// Token is a token id of the model's vocabulary.
type Token = int32

// Role says who speaks.
type Role string

// The roles of a conversation.
const (
	System    Role = "system"
	User      Role = "user"
	Assistant Role = "assistant"
)

// Message is one turn of a conversation: of an input, of a record, and of a
// training set, in the form that trainers read.
type Message struct {
	Role Role   `json:"role" parquet:"role"`
	Text string `json:"content" parquet:"content"`
	// Tokens are the ids of Text when they are known, as for a turn that the
	// model generated; otherwise Text is tokenized.
	Tokens []Token `json:"-" parquet:"-"`
}

// Texts gives the role and the text of each message, which is what a conversation is named by (package digest).
func Texts(msgs []Message) iter.Seq2[string, string] {
	return func(yield func(role, text string) bool) {
		for _, m := range msgs {
			if !yield(string(m.Role), m.Text) {
				return
			}
		}
	}
}

// Tokenizer is what chat needs of a model's vocabulary.
type Tokenizer interface {
	// Tokenize returns the ids of text. With special set, control tokens in
	// the text are recognised. With after set, the text goes on from ordinary
	// text, and a vocabulary that begins each text with a space adds none.
	Tokenize(text string, special, after bool) ([]Token, error)
	// Piece returns the bytes that a token adds to the text; none for a
	// control token.
	Piece(Token) []byte
	// Control reports whether a token is a control token.
	Control(Token) bool
	// BOS is the token that every sequence starts with, −1 for none.
	BOS() Token
}

// roles returns the shape of a conversation.
func roles(msgs []Message) []Role {
	out := make([]Role, len(msgs))
	for i, m := range msgs {
		out[i] = m.Role
	}
	return out
}

// shape names a list of roles, to look up what was rendered for it.
func shape(roles []Role) string {
	var b strings.Builder
	for _, r := range roles {
		b.WriteString(string(r))
		b.WriteByte(' ')
	}
	return b.String()
}
