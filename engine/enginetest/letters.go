package enginetest

import "amend/engine"

// Letters is the vocabulary of a Model for package chat: every byte of a text becomes one of its letters.
type Letters struct{ *Model }

// Tokenize implements chat.Tokenizer.
func (Letters) Tokenize(text string, _, _ bool) ([]engine.Token, error) {
	var out []engine.Token
	for _, b := range []byte(text) {
		out = append(out, engine.Token(b%26)+1)
	}
	return out, nil
}

// Control implements chat.Tokenizer: the token that ends a turn is one.
func (Letters) Control(t engine.Token) bool { return t == 0 }

// BOS implements chat.Tokenizer: there is none.
func (Letters) BOS() engine.Token { return -1 }
