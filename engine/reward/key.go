package reward

import (
	"amend/engine"
	"amend/engine/digest"
)

// Key names the features of a response by what they are computed from: the states' name, the exact token ids, and where the
// response begins.
type Key digest.Sum

// NewKey makes the key of the states of tokens from a position on.
func NewKey(states string, tokens []engine.Token, from int) Key {
	e := digest.New(digest.StatesDomain)
	e.Text(states)
	e.Tokens(tokens)
	e.Int(from)
	return Key(e.Sum())
}
