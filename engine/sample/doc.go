// Package sample draws tokens from logits.
//
// A Sampler belongs to one turn. It is told of every token that becomes part of
// the turn, has a random stream of its own, and takes one number of it for each
// token, so what it draws depends on the logits and its Params alone. The chain
// of Params is compared with a naive one in tests, token by token.
package sample

// Token is a token id of the model's vocabulary.
type Token = int32
