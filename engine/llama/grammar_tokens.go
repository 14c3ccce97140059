package llama

import (
	"bytes"
	"cmp"
	"slices"
	"unicode/utf8"
)

// grammarTokens is a vocabulary in the order in which a grammar is asked about
// it: end-of-generation tokens, then the others by their text. Where a token may
// not come next, none that continues its text may, so they are passed over.
// Nothing changes once it is made.
type grammarTokens struct {
	order []Token
	skip  []int32 // the place after the tokens that continue the text of order[i]
	asked []bool  // by token: it is in order

	// skipWhole is skip for grammars that exclude characters beyond ASCII: of a
	// token that ends within one of these llama.cpp says that it may not come,
	// though with other characters it could go on. It counts as continued by none.
	skipWhole []int32
}

// grammarTokens leaves out the tokens that are never part of a text: control
// tokens but those that end it (llama.cpp would take <|im_start|> for text), and
// pieces that no UTF-8 text has, which llama.cpp decodes to other characters.
func (v *Vocab) grammarTokens() *grammarTokens {
	type token struct {
		id    Token
		piece []byte
	}
	g := &grammarTokens{asked: make([]bool, v.size)}
	var texts []token
	for id := range Token(v.size) {
		switch {
		case v.IsEOG(id):
			g.order = append(g.order, id)
			g.asked[id] = true
		case v.IsControl(id):
		default:
			if piece := v.Piece(id, true); inUTF8(piece) {
				texts = append(texts, token{id, piece})
				g.asked[id] = true
			}
		}
	}
	slices.SortFunc(texts, func(a, b token) int {
		return cmp.Or(bytes.Compare(a.piece, b.piece), cmp.Compare(a.id, b.id))
	})
	ends := len(g.order)
	sorted := make([][]byte, ends, ends+len(texts)) // those that end a text are no part of it
	for _, t := range texts {
		g.order = append(g.order, t.id)
		sorted = append(sorted, t.piece)
	}
	g.skip = continued(sorted, func(piece []byte) bool { return len(piece) > 0 })
	g.skipWhole = continued(sorted, func(piece []byte) bool { return len(piece) > 0 && utf8.Valid(piece) })
	return g
}

// continued gives for each piece the place after those that continue it, which
// follow it in this order. Where counts is false none do.
func continued(sorted [][]byte, counts func(piece []byte) bool) []int32 {
	skip := make([]int32, len(sorted))
	for i := len(sorted) - 1; i >= 0; i-- {
		next := int32(i + 1)
		for counts(sorted[i]) && int(next) < len(sorted) && bytes.HasPrefix(sorted[next], sorted[i]) {
			next = skip[next]
		}
		skip[i] = next
	}
	return skip
}

// inUTF8 reports whether a text without NUL in UTF-8 can have piece as a part:
// it may begin and end within a character.
func inUTF8(piece []byte) bool {
	if len(piece) == 0 || bytes.IndexByte(piece, 0) >= 0 {
		return false
	}
	for i := 0; i < utf8.UTFMax-1 && len(piece) > 0 && !utf8.RuneStart(piece[0]); i++ {
		piece = piece[1:]
	}
	for len(piece) > 0 {
		r, n := utf8.DecodeRune(piece)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(piece)
		}
		piece = piece[n:]
	}
	return true
}
