package llama

import (
	"fmt"
	"slices"
)

// probes are texts to put before a continuation: no vocabulary joins them with
// what follows, which is checked at each use.
var probes = []string{"\x01", "\n", "."}

// TokenizeContinuation returns the tokens of text where it follows ordinary
// text, not a control token, in the same sequence: Tokenize without the space
// that some vocabularies put before every text. For the others it is
// Tokenize(text, false, parseSpecial).
func (v *Vocab) TokenizeContinuation(text string, parseSpecial bool) ([]Token, error) {
	if !v.space || text == "" {
		return v.Tokenize(text, false, parseSpecial)
	}
	// Tokenize text behind a probe, and drop the probe's tokens. That they are
	// the ones it has alone shows that nothing joined across the border.
	for _, probe := range probes {
		before, err := v.Tokenize(probe, false, false)
		if err != nil {
			continue // a vocabulary without byte tokens may not have this probe
		}
		both, err := v.Tokenize(probe+text, false, parseSpecial)
		if err != nil {
			continue
		}
		if len(both) >= len(before) && slices.Equal(both[:len(before)], before) {
			return both[len(before):], nil
		}
	}
	return nil, fmt.Errorf("llama: tokenize a continuation of %d bytes: the %v vocabulary of model %q joins every probe with it", len(text), v.kind, v.model.path)
}

// addsSpace finds out whether the tokenizer adds a space by using it: the
// metadata does not say when a vocabulary's type implies it. A WPM vocabulary
// marks the start of words and adds none.
func (v *Vocab) addsSpace() bool {
	if v.kind != VocabSPM && v.kind != VocabUGM {
		return false
	}
	tokens, err := v.Tokenize("a", false, false)
	return err == nil && len(tokens) > 0 && len(v.Piece(tokens[0], true)) > 0 && v.Piece(tokens[0], true)[0] == ' '
}
