package llama

// #include "shim.h"
import "C"

// BOS is the token that begins a text, or NoToken (llama_vocab_bos).
func (v *Vocab) BOS() Token { return v.special(func() C.llama_token { return C.llama_vocab_bos(v.c) }) }

// EOS is the token that ends a text, or NoToken (llama_vocab_eos).
func (v *Vocab) EOS() Token { return v.special(func() C.llama_token { return C.llama_vocab_eos(v.c) }) }

// sep is the token between sentences, or NoToken (llama_vocab_sep).
func (v *Vocab) sep() Token { return v.special(func() C.llama_token { return C.llama_vocab_sep(v.c) }) }

// AddBOS reports whether Tokenize with addSpecial begins with BOS
// (llama_vocab_get_add_bos).
func (v *Vocab) AddBOS() bool { return v.c != nil && bool(C.llama_vocab_get_add_bos(v.c)) }

// addEOS reports whether Tokenize with addSpecial ends with EOS
// (llama_vocab_get_add_eos).
func (v *Vocab) addEOS() bool { return v.c != nil && bool(C.llama_vocab_get_add_eos(v.c)) }

// IsEOG reports whether t ends a generation (llama_vocab_is_eog).
func (v *Vocab) IsEOG(t Token) bool {
	return v.has(t) && bool(C.llama_vocab_is_eog(v.c, C.llama_token(t)))
}

// IsControl reports whether t is a control token (llama_vocab_is_control).
func (v *Vocab) IsControl(t Token) bool {
	return v.has(t) && bool(C.llama_vocab_is_control(v.c, C.llama_token(t)))
}

// Text is t as the vocabulary spells it, which is not the text it stands for:
// see Piece (llama_vocab_get_text).
func (v *Vocab) Text(t Token) string {
	if !v.has(t) {
		return ""
	}
	return C.GoString(C.llama_vocab_get_text(v.c, C.llama_token(t)))
}

func (v *Vocab) special(read func() C.llama_token) Token {
	if v.c == nil {
		return NoToken
	}
	return Token(read())
}
