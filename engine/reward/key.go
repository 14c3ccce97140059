package reward

import (
	"amend/engine"
	"amend/engine/internal/content"
)

// Key names the features of a response by what they are computed from: the states' name, the exact token ids, and where the
// response begins.
type Key [32]byte

// NewKey makes the key of the states of tokens from a position on.
func NewKey(states string, tokens []engine.Token, from int) Key {
	e := content.Encoder("amend states 1")
	e.Text(states)
	e.Tokens(tokens)
	e.Number(uint64(from))
	return e.Sum()
}
