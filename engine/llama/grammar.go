package llama

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"unsafe"
)

// Grammar is a GBNF grammar at a point of a text: it says which tokens may come
// next (llama_sampler_init_grammar; the notation is described in llama.cpp's
// grammars/README.md). Token references (<name>, <[id]>) are not supported.
//
// Control tokens are never part of the text, and those that end a generation may
// come where the grammar is complete. Text is UTF-8: a token may hold part of a
// character, and the rest must follow.
//
// A grammar in which many readings of the same text stay possible (x ::= "a" x
// "b" | "a" x "c" | "d") costs llama.cpp time and memory for each of them: twice
// as much with every token, here.
//
// One goroutine at a time may call its methods; clones are independent of one
// another. It keeps its model open.
type Grammar struct {
	c       *C.amend_grammar
	vocab   *Vocab
	tokens  *grammarTokens
	skip    []int32 // which of tokens'
	opened  *opened
	cleanup runtime.Cleanup
	failed  error    // why there is no state any more
	text    Streamer // behind the last token, to know the start of a character

	known   bool   // the rest is of this point
	count   int    // tokens that may come next
	allowed []byte // by token: 1 where it may
}

// CheckGrammar reports what is wrong with the text of a grammar that starts at the rule root: an error that wraps ErrGrammar
// and names the line or the rule.
func CheckGrammar(gbnf, root string) error {
	parsed, err := parseGBNF(gbnf)
	if err != nil {
		return err
	}
	return parsed.check(root)
}

// NewGrammar makes a grammar at its start, which is the rule named root. What is
// wrong with the text is an error that wraps ErrGrammar and names the line or the
// rule. The first call for a vocabulary sorts it (about 0.2 s for 150,000
// tokens); to use a grammar for many texts, clone it.
func (v *Vocab) NewGrammar(gbnf, root string) (*Grammar, error) {
	if v.c == nil {
		return nil, v.model.closed("new grammar")
	}
	if v.kind == VocabNone {
		return nil, fmt.Errorf("llama: new grammar: model %q has no vocabulary", v.model.path)
	}
	parsed, err := parseGBNF(gbnf)
	if err == nil {
		err = parsed.check(root)
	}
	if err != nil {
		return nil, fmt.Errorf("llama: new grammar: %w", err)
	}
	ctext, croot := C.CString(gbnf), C.CString(root)
	defer C.free(unsafe.Pointer(ctext))
	defer C.free(unsafe.Pointer(croot))
	mark := process.sink.mark()
	c := C.amend_grammar_new(v.c, ctext, croot)
	if c == nil {
		return nil, errors.New(withLines("llama: new grammar", process.sink.errorsSince(mark)))
	}
	tokens := v.grammar()
	skip := tokens.skip
	if parsed.wideNot {
		skip = tokens.skipWhole
	}
	return v.ownGrammar(c, skip, newOpened("grammar")), nil
}

// ownGrammar makes a Grammar of c.
func (v *Vocab) ownGrammar(c *C.amend_grammar, skip []int32, o *opened) *Grammar {
	g := &Grammar{c: c, vocab: v, tokens: v.grammar(), skip: skip, opened: o}
	g.cleanup = reportLeak(g, o)
	v.model.acquire(o)
	return g
}

// Clone returns a grammar of its own at the same point (llama_sampler_clone).
func (g *Grammar) Clone() (*Grammar, error) {
	if err := g.usable("clone"); err != nil {
		return nil, err
	}
	mark := process.sink.mark()
	c := C.amend_grammar_clone(g.c)
	if c == nil {
		return nil, errors.New(withLines("llama: grammar: clone", process.sink.errorsSince(mark)))
	}
	clone := g.vocab.ownGrammar(c, g.skip, newOpened("grammar"))
	clone.text.tail = slices.Clone(g.text.tail)
	return clone, nil
}

// Close frees the grammar (llama_sampler_free). Closing a closed grammar does
// nothing.
func (g *Grammar) Close() error {
	if g.c == nil {
		return nil
	}
	g.cleanup.Stop()
	C.amend_grammar_free(g.c)
	g.c, g.allowed, g.known = nil, nil, false
	g.vocab.model.release(g.opened)
	return nil
}

// Mask sets the logits of the tokens that may not come next to −Inf and leaves
// the others; there must be one for each token of the vocabulary. When no token
// may come next it is an error. It goes through all tokens that may come, and
// costs most where nearly any may (within a string, say): there Allowed for the
// token drawn is cheaper, and Mask is needed only if that may not come.
func (g *Grammar) Mask(logits []float32) error {
	if len(logits) != g.vocab.size {
		return fmt.Errorf("llama: grammar: mask %d logits, and the vocabulary has %d tokens", len(logits), g.vocab.size)
	}
	if err := g.find(g.vocab.size); err != nil {
		return err
	}
	never := float32(math.Inf(-1))
	for t, may := range g.allowed {
		if may == 0 {
			logits[t] = never
		}
	}
	return nil
}

// Allowed reports whether t may come next. It asks for this token only.
func (g *Grammar) Allowed(t Token) (bool, error) {
	if err := g.usable("check a token"); err != nil {
		return false, err
	}
	if !g.vocab.has(t) {
		return false, fmt.Errorf("llama: grammar: check token %d: the vocabulary has %d", t, g.vocab.size)
	}
	if g.known {
		return g.allowed[t] == 1, nil
	}
	if !g.tokens.asked[t] || !g.completes(t) {
		return false, nil
	}
	mark := process.sink.mark()
	may := C.amend_grammar_allows(g.c, C.llama_token(t))
	if may == C.AMEND_THREW {
		return false, errors.New(withLines(fmt.Sprintf("llama: grammar: check token %d", t), process.sink.errorsSince(mark)))
	}
	return may == 1, nil
}

// Forced is the only token that may come next, if there is exactly one; each
// token that ends a generation counts. It stops at the second one, and so is
// cheap everywhere. When no token may come next it is an error.
func (g *Grammar) Forced() (t Token, ok bool, err error) {
	if err := g.find(1); err != nil {
		return NoToken, false, err
	}
	if !g.known || g.count != 1 {
		return NoToken, false, nil
	}
	return Token(bytes.IndexByte(g.allowed, 1)), true, nil
}

// Accept moves the grammar behind t (llama_sampler_accept). A token that may not
// come next is an error and changes nothing. One that ends a generation leaves
// the grammar where it is.
func (g *Grammar) Accept(t Token) error {
	may, err := g.Allowed(t)
	if err != nil {
		return err
	}
	if !may {
		return fmt.Errorf("llama: grammar: token %d %q may not come next", t, g.vocab.Piece(t, true))
	}
	g.known = false
	mark := process.sink.mark()
	if C.amend_grammar_accept(g.c, C.llama_token(t)) != 0 {
		g.failed = errors.New(withLines(fmt.Sprintf("accept token %d", t), process.sink.errorsSince(mark)))
		return g.usable("accept")
	}
	g.text.Write(g.vocab.Piece(t, true))
	return nil
}

// find makes count and allowed those of this point. When there are more than
// limit it may give up, with known false.
func (g *Grammar) find(limit int) error {
	if err := g.usable("find the next tokens"); err != nil {
		return err
	}
	if !g.known {
		if err := g.search(limit); err != nil {
			return err
		}
	}
	if g.known && g.count == 0 {
		return errors.New("llama: grammar: no token of the vocabulary may come next; the grammar wants a character that it does not have")
	}
	return nil
}

// search is find where nothing is known.
func (g *Grammar) search(limit int) error {
	if g.allowed == nil {
		g.allowed = make([]byte, g.vocab.size)
	}
	clear(g.allowed)
	if g.text.Pending() > 0 {
		limit = g.vocab.size // some of those found are dropped
	}
	mark := process.sink.mark()
	n := C.amend_grammar_find(g.c, (*C.llama_token)(unsafe.SliceData(g.tokens.order)), (*C.int32_t)(unsafe.SliceData(g.skip)),
		C.int32_t(len(g.tokens.order)), C.int32_t(limit), (*C.uint8_t)(unsafe.SliceData(g.allowed)))
	if n == C.AMEND_THREW {
		return errors.New(withLines("llama: grammar: find the next tokens", process.sink.errorsSince(mark)))
	}
	g.count, g.known = int(n), int(n) <= limit
	g.dropIncomplete()
	return nil
}

// completes reports that t goes on with the character that the text ends within,
// if it does. llama.cpp would take bytes that are no character's (overlong ones).
func (g *Grammar) completes(t Token) bool {
	if g.text.Pending() == 0 {
		return true
	}
	return inUTF8(slices.Concat(g.text.tail, g.vocab.Piece(t, true)))
}

// dropIncomplete takes those that do not complete from the allowed tokens: few
// are left where a character has begun.
func (g *Grammar) dropIncomplete() {
	if g.text.Pending() == 0 {
		return
	}
	for t, may := range g.allowed {
		if may == 1 && !g.completes(Token(t)) {
			g.allowed[t] = 0
			g.count--
		}
	}
}

// usable refuses a grammar that is closed or has lost its state.
func (g *Grammar) usable(doing string) error {
	switch {
	case g.c == nil:
		return fmt.Errorf("llama: grammar: %s: %w", doing, ErrClosed)
	case g.failed != nil:
		return fmt.Errorf("llama: grammar: %s: it has no state any more since: %w", doing, g.failed)
	}
	return nil
}
