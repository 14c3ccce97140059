package llama

// #include "shim.h"
import "C"

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"unicode"
	"unsafe"
)

// Token is a token id (llama_token).
type Token = int32

// NoToken stands for a token that a vocabulary does not have (LLAMA_TOKEN_NULL).
const NoToken Token = C.LLAMA_TOKEN_NULL

// VocabType is the kind of tokenizer (llama_vocab_type).
type VocabType int

// The kinds of tokenizer.
const (
	VocabNone   VocabType = C.LLAMA_VOCAB_TYPE_NONE
	VocabSPM    VocabType = C.LLAMA_VOCAB_TYPE_SPM
	VocabBPE    VocabType = C.LLAMA_VOCAB_TYPE_BPE
	VocabWPM    VocabType = C.LLAMA_VOCAB_TYPE_WPM
	VocabUGM    VocabType = C.LLAMA_VOCAB_TYPE_UGM
	VocabRWKV   VocabType = C.LLAMA_VOCAB_TYPE_RWKV
	VocabPLaMo2 VocabType = C.LLAMA_VOCAB_TYPE_PLAMO2
	VocabTest   VocabType = C.LLAMA_VOCAB_TYPE_TEST
)

// String is the type's name.
func (t VocabType) String() string {
	names := [...]string{"none", "SPM", "BPE", "WPM", "UGM", "RWKV", "PLaMo2", "test"}
	if t < 0 || int(t) >= len(names) {
		return fmt.Sprintf("type %d", int(t))
	}
	return names[t]
}

// Vocab is a model's vocabulary and tokenizer (llama_vocab). It belongs to its
// model, and ends with it.
//
// Its methods may be called from several goroutines at once.
type Vocab struct {
	c     *C.struct_llama_vocab
	model *Model // keeps the C vocabulary alive
	size  int
	kind  VocabType
	space bool // Tokenize puts a space before text

	grammar func() *grammarTokens // made when first called
}

func newVocab(m *Model) *Vocab {
	v := &Vocab{c: C.llama_model_get_vocab(m.c), model: m}
	v.size = int(C.llama_vocab_n_tokens(v.c))
	v.kind = VocabType(C.llama_vocab_type(v.c))
	v.space = v.addsSpace()
	v.grammar = sync.OnceValue(v.grammarTokens)
	return v
}

// Size is the number of tokens (llama_vocab_n_tokens).
func (v *Vocab) Size() int { return v.size }

// Type is the kind of tokenizer (llama_vocab_type).
func (v *Vocab) Type() VocabType { return v.kind }

// Tokenize returns text's tokens (llama_tokenize). addSpecial adds BOS and EOS
// where the vocabulary wants them. parseSpecial turns the text of control
// tokens into these tokens: never set it for text that others wrote. NUL bytes
// are text; bytes that are not UTF-8 become U+FFFD first.
func (v *Vocab) Tokenize(text string, addSpecial, parseSpecial bool) ([]Token, error) {
	if v.c == nil {
		return nil, v.model.closed("tokenize")
	}
	if err := v.tokenizable(text, addSpecial); err != nil {
		return nil, fmt.Errorf("llama: tokenize: %w", err)
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	stack := tokenizeStack(text)
	if stack > maxStack {
		return nil, fmt.Errorf("llama: tokenize %d bytes: the text has more than %d bytes without a change between space and other characters; cut it", len(text), maxStack/stackPerByte)
	}
	// Text has hardly ever more tokens than bytes; when it has, C says how many.
	tokens := make([]Token, len(text)+8)
	mark := process.sink.mark()
	for {
		n := C.amend_tokenize(v.c, (*C.char)(unsafe.Pointer(unsafe.StringData(text))), C.int32_t(len(text)),
			(*C.llama_token)(unsafe.Pointer(&tokens[0])), C.int32_t(len(tokens)), C.bool(addSpecial), C.bool(parseSpecial), stack)
		switch {
		case n >= 0:
			return tokens[:n:n], nil
		case n == math.MinInt32 || n == C.AMEND_THREW:
			return nil, fmt.Errorf("%s", withLines(fmt.Sprintf("llama: tokenize %d bytes", len(text)), process.sink.errorsSince(mark)))
		}
		tokens = make([]Token, -n)
	}
}

// tokenizable refuses what llama.cpp would answer with an abort.
func (v *Vocab) tokenizable(text string, addSpecial bool) error {
	if v.kind == VocabNone {
		return fmt.Errorf("model %q has no vocabulary", v.model.path)
	}
	// U+FFFD takes three bytes, and it may replace one.
	if len(text) > math.MaxInt32/3 {
		return fmt.Errorf("text of %d bytes, and llama.cpp takes at most %d; cut it", len(text), math.MaxInt32/3)
	}
	if !addSpecial {
		return nil
	}
	wpm := v.kind == VocabWPM
	switch {
	case (wpm || v.AddBOS()) && v.BOS() == NoToken:
		return fmt.Errorf("vocabulary wants a BOS token and names none")
	case !wpm && v.addEOS() && v.EOS() == NoToken:
		return fmt.Errorf("vocabulary wants an EOS token and names none")
	case wpm && v.sep() == NoToken:
		return fmt.Errorf("vocabulary wants a SEP token and names none")
	}
	return nil
}

// Piece is a token's text as bytes, which may be part of a character
// (llama_token_to_piece). Control tokens have a text only with special. An id
// outside the vocabulary has none.
func (v *Vocab) Piece(t Token, special bool) []byte {
	if !v.has(t) || v.kind == VocabNone {
		return nil
	}
	buf := make([]byte, 32)
	for {
		n := C.amend_piece(v.c, C.llama_token(t), (*C.char)(unsafe.Pointer(&buf[0])), C.int32_t(len(buf)), C.bool(special))
		switch {
		case n >= 0:
			return buf[:n:n]
		case n == C.AMEND_THREW:
			return nil
		}
		buf = make([]byte, -n)
	}
}

// llama.cpp splits text for many vocabularies with std::regex, which recurses for
// every character of a run that one pattern matches: 324 bytes of stack a byte
// were measured with libstdc++, so that a run of 26,000 letters ends the process
// on the usual 8 MiB. Longer texts get a thread with a stack to measure.
const (
	plainText    = 4096    // bytes that any stack has room for
	stackPerByte = 1024    // three times what was measured
	baseStack    = 8 << 20 // what a thread usually has
	maxStack     = 1 << 30
)

// tokenizeStack is the stack that text needs: 0 for a usual thread's.
func tokenizeStack(text string) C.size_t {
	if len(text) <= plainText {
		return 0
	}
	longest, start, inSpace := 0, 0, false
	for i, r := range text {
		if space := unicode.IsSpace(r); space != inSpace {
			longest, start, inSpace = max(longest, i-start), i, space
		}
	}
	longest = max(longest, len(text)-start)
	if longest <= plainText {
		return 0
	}
	return C.size_t(baseStack + longest*stackPerByte)
}

func (v *Vocab) has(t Token) bool { return v.c != nil && t >= 0 && int(t) < v.size }
