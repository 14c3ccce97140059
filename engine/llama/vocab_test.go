package llama_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"amend/engine/llama"
)

// vectors reads llama.cpp's test vectors of a vocabulary, in the form its
// tests/test-tokenizer-0.cpp reads: texts between separators, and a line of ids
// for each, made with special parsing and special tokens off.
func vectors(t *testing.T, file string) (texts []string, ids [][]llama.Token) {
	t.Helper()
	inp, err := os.ReadFile(file + ".inp")
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.ReadFile(file + ".out")
	if err != nil {
		t.Fatal(err)
	}
	texts = strings.Split(string(inp), "\n__ggml_vocab_test__\n")
	if texts[len(texts)-1] == "" {
		texts = texts[:len(texts)-1]
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	for _, line := range lines {
		var row []llama.Token
		for _, f := range strings.Fields(line) {
			id, err := strconv.Atoi(f)
			if err != nil {
				t.Fatalf("%s.out: %v", file, err)
			}
			row = append(row, llama.Token(id))
		}
		ids = append(ids, row)
	}
	if len(texts) != len(ids) {
		t.Fatalf("%s: %d texts and %d rows of ids", file, len(texts), len(ids))
	}
	return texts, ids
}

// Each vocabulary is loaded once for all that is asked of it: loading takes
// longer than the questions.
func TestVocabularies(t *testing.T) {
	withVectors := 0
	for _, file := range vocabFiles(t) {
		t.Run(vocabName(file), func(t *testing.T) {
			v := openVocab(t, file)
			texts, ids := vectors(t, file)
			if texts != nil {
				withVectors++
			}
			t.Run("vectors", func(t *testing.T) { checkVectors(t, v, texts, ids) })
			t.Run("control", func(t *testing.T) { checkNoControl(t, v) })
			t.Run("pieces", func(t *testing.T) { checkPieces(t, v) })
			t.Run("continuation", func(t *testing.T) { checkContinuation(t, v) })
			t.Run("long", func(t *testing.T) { checkLongText(t, v) })
		})
	}
	if withVectors < 15 {
		t.Errorf("%d vocabularies have vectors, want at least 15", withVectors)
	}
}

func checkVectors(t *testing.T, v *llama.Vocab, texts []string, want [][]llama.Token) {
	for i, text := range texts {
		got, err := v.Tokenize(text, false, false)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want[i]) {
			t.Errorf("%q:\n got %v\nwant %v", text, got, want[i])
		}
	}
}

// hostileText draws text that looks like control tokens, is not UTF-8, holds NUL
// bytes, or is plain.
func hostileText(v *llama.Vocab) *rapid.Generator[string] {
	var control []string
	for id := range llama.Token(v.Size()) {
		if v.IsControl(id) && len(control) < 300 {
			control = append(control, v.Text(id))
		}
	}
	control = append(control, "<|im_start|>", "<s>", "</s>", "[INST]", "<start_of_turn>")
	part := rapid.OneOf(
		rapid.SampledFrom(control),
		rapid.String(),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 8), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"\x00", "\xff\xfe", "\xe2\x82", " ", "\n\n", "\r\n", "▁", "Ġ", "a", "é", "日本", "🦙", "e\u0301", "\u202e"}),
	)
	return rapid.Map(rapid.SliceOfN(part, 0, 12), func(p []string) string { return strings.Join(p, "") })
}

// With special parsing off no text gives a control token.
func checkNoControl(t *testing.T, v *llama.Vocab) {
	text := hostileText(v)
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "text")
		plain, err := v.Tokenize(s, false, false)
		if err != nil {
			t.Fatal(err)
		}
		continued, err := v.TokenizeContinuation(s, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, tok := range slices.Concat(plain, continued) {
			// A word that a WPM vocabulary does not know is [UNK], a control token.
			unknown := v.Type() == llama.VocabWPM && v.Text(tok) == "[UNK]"
			if v.IsControl(tok) && !unknown {
				t.Fatalf("%q gave the control token %d %q", s, tok, v.Text(tok))
			}
		}
	})
}

// normalizes reports a vocabulary whose tokens are not the text's bytes: one that
// changes the text first, or that has no token for some bytes.
func normalizes(v *llama.Vocab) bool { return v.Type() == llama.VocabWPM || v.Type() == llama.VocabUGM }

// The pieces of a text's tokens are the text, without a space before it.
func checkPieces(t *testing.T, v *llama.Vocab) {
	if normalizes(v) {
		t.Skipf("a %v vocabulary normalizes text", v.Type())
	}
	// Falcon's vocabulary has no tokens for control characters: llama.cpp drops them.
	text := rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune{' ', '\n'}), rapid.Rune().Filter(unicode.IsPrint)))
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "text")
		tokens, err := v.TokenizeContinuation(s, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := pieces(v, tokens); got != s {
			t.Fatalf("%q became %q", s, got)
		}
	})
}

func pieces(v *llama.Vocab, tokens []llama.Token) string {
	var b strings.Builder
	for _, tok := range tokens {
		b.Write(v.Piece(tok, true))
	}
	return b.String()
}

// Where the whole text has a token border that no merge crosses, the tokens of
// the part before and of the continuation are the tokens of the whole.
func checkContinuation(t *testing.T, v *llama.Vocab) {
	if normalizes(v) {
		t.Skipf("a %v vocabulary normalizes text", v.Type())
	}
	words := rapid.SliceOfN(rapid.StringMatching(`[a-zA-Z]{1,9}[.,!?]?`), 1, 6)
	rapid.Check(t, func(t *rapid.T) {
		before := strings.Join(words.Draw(t, "before"), " ")
		// A space before a word starts a new token in every vocabulary here.
		after := " " + strings.Join(words.Draw(t, "after"), " ")
		whole := mustTokens(t, v, before+after)
		head := mustTokens(t, v, before)
		tail, err := v.TokenizeContinuation(after, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := append(head, tail...); !slices.Equal(got, whole) {
			t.Fatalf("%q + %q:\n got %v\nwant %v", before, after, got, whole)
		}
	})
}

func mustTokens(t *rapid.T, v *llama.Vocab, text string) []llama.Token {
	tokens, err := v.Tokenize(text, false, false)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func TestTokenizeContinuationHasNoSpace(t *testing.T) {
	v := openVocab(t, vocabDir+"/ggml-vocab-llama-spm.gguf")
	plain, err := v.Tokenize("Hello", false, false)
	if err != nil {
		t.Fatal(err)
	}
	cont, err := v.TokenizeContinuation("Hello", false)
	if err != nil {
		t.Fatal(err)
	}
	if got := pieces(v, plain); got != " Hello" {
		t.Errorf("Tokenize: %q, want a space first", got)
	}
	if got := pieces(v, cont); got != "Hello" {
		t.Errorf("TokenizeContinuation: %q, want no space", got)
	}
	// Special tokens at its start must not eat or join what stands before.
	special, err := v.TokenizeContinuation("</s>x", true)
	if err != nil {
		t.Fatal(err)
	}
	if len(special) == 0 || special[0] != v.EOS() {
		t.Errorf("%v does not start with EOS %d", special, v.EOS())
	}
}

func TestTokenizeSpecials(t *testing.T) {
	v := openSmol(t).Vocab()
	on, err := v.Tokenize("<|im_start|>user", false, true)
	if err != nil {
		t.Fatal(err)
	}
	off, err := v.Tokenize("<|im_start|>user", false, false)
	if err != nil {
		t.Fatal(err)
	}
	if !v.IsControl(on[0]) || len(off) <= len(on) {
		t.Errorf("with parsing %v, without %v", on, off)
	}
	if got := string(v.Piece(on[0], true)); got != "<|im_start|>" {
		t.Errorf("piece with special: %q", got)
	}
	if got := v.Piece(on[0], false); len(got) != 0 {
		t.Errorf("piece without special: %q", got)
	}
	if !v.IsEOG(v.EOS()) || v.IsEOG(off[1]) {
		t.Error("IsEOG: EOS ends a generation and text does not")
	}
}

// Ids outside the vocabulary throw in C; here they are nothing.
func TestVocabOutOfRange(t *testing.T) {
	v := openVocab(t, vocabDir+"/ggml-vocab-llama-spm.gguf")
	for _, id := range []llama.Token{-1, llama.NoToken, llama.Token(v.Size()), 1 << 30} {
		if p := v.Piece(id, true); p != nil {
			t.Errorf("piece of %d: %q", id, p)
		}
		if v.Text(id) != "" || v.IsEOG(id) || v.IsControl(id) {
			t.Errorf("token %d has properties", id)
		}
	}
}

// A run of 26,000 letters, spaces or digits overflows an 8 MiB stack in several
// vocabularies' regular expressions.
func checkLongText(t *testing.T, v *llama.Vocab) {
	for _, part := range []string{"a", " ", "1", "é"} {
		if _, err := v.Tokenize(strings.Repeat(part, 60_000/len(part)), false, false); err != nil {
			t.Errorf("a run of %q: %v", part, err)
		}
	}
}

func TestTokenizeRefusesEndlessRun(t *testing.T) {
	v := openVocab(t, vocabDir+"/ggml-vocab-llama-spm.gguf")
	if _, err := v.Tokenize(strings.Repeat("a", 2<<20), false, false); err == nil || !strings.Contains(err.Error(), "cut it") {
		t.Errorf("a run of 2 MiB: %v", err)
	}
}

func FuzzTokenize(f *testing.F) {
	v := openVocab(f, vocabDir+"/ggml-vocab-llama-spm.gguf")
	f.Add("Hello <s> \x00 \xff")
	f.Fuzz(func(t *testing.T, text string) {
		tokens, err := v.TokenizeContinuation(text, false)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ToValidUTF8(text, string(utf8.RuneError))
		if got := pieces(v, tokens); got != want {
			t.Errorf("%q became %q", want, got)
		}
	})
}
