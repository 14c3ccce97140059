package llama_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"amend/engine/llama"
)

func openGrammar(t testing.TB, v *llama.Vocab, text string) *llama.Grammar {
	t.Helper()
	g, err := v.NewGrammar(text, "root")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, g) })
	return g
}

func cloneGrammar(t testing.TB, g *llama.Grammar) *llama.Grammar {
	t.Helper()
	c, err := g.Clone()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, c) })
	return c
}

// allowed is the tokens that a mask leaves.
func allowed(t testing.TB, v *llama.Vocab, g *llama.Grammar) []llama.Token {
	t.Helper()
	logits := make([]float32, v.Size())
	if err := g.Mask(logits); err != nil {
		t.Fatal(err)
	}
	var tokens []llama.Token
	for id, l := range logits {
		if l == 0 {
			tokens = append(tokens, llama.Token(id))
		} else if !math.IsInf(float64(l), -1) {
			t.Fatalf("logit %d became %v", id, l)
		}
	}
	return tokens
}

func mustAccept(t testing.TB, v *llama.Vocab, g *llama.Grammar, text string) {
	t.Helper()
	tokens, err := v.TokenizeContinuation(text, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, tok := range tokens {
		if err := g.Accept(tok); err != nil {
			t.Fatal(err)
		}
	}
}

func texts(v *llama.Vocab, tokens []llama.Token) []string {
	var all []string
	for _, tok := range tokens {
		all = append(all, string(v.Piece(tok, true)))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestGrammarFirstTokens(t *testing.T) {
	v := openVocab(t, vocabDir+"/ggml-vocab-qwen2.gguf")
	g := openGrammar(t, v, `root ::= "A" | "Bus"`)
	if got, want := texts(v, allowed(t, v, g)), []string{"A", "B", "Bu", "Bus"}; !slices.Equal(got, want) {
		t.Errorf("first: %q, want %q", got, want)
	}
	mustAccept(t, v, g, "Bu")
	if got := texts(v, allowed(t, v, g)); !slices.Equal(got, []string{"s"}) {
		t.Errorf("after Bu: %q", got)
	}
	s, ok, err := g.Forced()
	if err != nil || !ok || string(v.Piece(s, true)) != "s" {
		t.Errorf("forced after Bu: %d, %v, %v", s, ok, err)
	}
	mustAccept(t, v, g, "s")
	end := allowed(t, v, g)
	for _, tok := range end {
		if !v.IsEOG(tok) {
			t.Errorf("token %d %q after the end", tok, v.Piece(tok, true))
		}
	}
	if !slices.Contains(end, v.EOS()) {
		t.Errorf("at the end %v may come, without EOS %d", end, v.EOS())
	}
	if err := g.Accept(v.EOS()); err != nil {
		t.Error(err)
	}
}

// walks are grammars, each with a regular expression for the same texts.
var walks = []struct{ name, grammar, pattern string }{
	{"repetitions", `root ::= [a-c]{2,5} ("-" [0-9]+)?`, `^[a-c]{2,5}(-[0-9]+)?$`},
	{"UTF-8 ranges", `root ::= "<" [α-ωぁ-ん🦀-🧀]{1,6} ">"`, `^<[α-ωぁ-ん🦀-🧀]{1,6}>$`},
	{"wide exclusion", `root ::= "<" [^a-z\x00-\x1Fé日]{1,5} ">"`, `^<[^a-z\x00-\x1Fé日]{1,5}>$`},
	{"rules", "root ::= pair (\", \" pair){0,2}\npair ::= key \": \" (key | \"true\")\nkey ::= \"\\\"\" [^\"\\n]{0,4} \"\\\"\"",
		`^"[^"\n]{0,4}": ("[^"\n]{0,4}"|true)(, "[^"\n]{0,4}": ("[^"\n]{0,4}"|true)){0,2}$`},
}

// Random tokens that a grammar allows, until it ends, give a text of it; on the
// way Mask, Forced and Allowed agree.
func TestGrammarWalks(t *testing.T) {
	for _, file := range []string{"gpt-2", "llama-spm"} {
		v := openVocab(t, vocabDir+"/ggml-vocab-"+file+".gguf")
		for _, w := range walks {
			t.Run(file+" "+w.name, func(t *testing.T) {
				start, pattern := openGrammar(t, v, w.grammar), regexp.MustCompile(w.pattern)
				split := 0
				for seed := range uint64(12) {
					tokens := walk(t, v, cloneGrammar(t, start), rand.New(rand.NewPCG(seed, 7)), seed == 0)
					for _, tok := range tokens {
						if !utf8.Valid(v.Piece(tok, true)) {
							split++
						}
					}
					if text := pieces(v, tokens); !utf8.ValidString(text) || !pattern.MatchString(text) {
						t.Errorf("seed %d: %q does not match %s", seed, text, pattern)
					}
				}
				if split == 0 && strings.Contains(w.name, "UTF-8") {
					t.Error("no token held part of a character")
				}
			})
		}
	}
}

// walk draws tokens until one ends the text, which it leaves out.
func walk(t *testing.T, v *llama.Vocab, g *llama.Grammar, rng *rand.Rand, compare bool) []llama.Token {
	t.Helper()
	var tokens []llama.Token
	for step := range 200 {
		if compare && step < 3 {
			// The clone has not looked for the tokens, so it asks llama.cpp for each.
			checkAllowed(t, v, g, cloneGrammar(t, g))
		}
		early, only, err := g.Forced()
		if err != nil {
			t.Fatal(err)
		}
		next := allowed(t, v, g)
		forced, ok, err := g.Forced()
		if early != forced || only != ok {
			t.Fatalf("forced %d, %v before the mask and %d, %v after it", early, only, forced, ok)
		}
		if err != nil || ok != (len(next) == 1) || (ok && forced != next[0]) {
			t.Fatalf("forced %d, %v, %v of %d tokens", forced, ok, err, len(next))
		}
		tok := next[rng.IntN(len(next))]
		if i := slices.IndexFunc(next, v.IsEOG); i >= 0 && rng.IntN(3) == 0 {
			tok = next[i]
		}
		if err := g.Accept(tok); err != nil {
			t.Fatal(err)
		}
		if v.IsEOG(tok) {
			return tokens
		}
		tokens = append(tokens, tok)
	}
	t.Fatalf("no end after %q", pieces(v, tokens))
	return nil
}

// checkAllowed compares one grammar's mask with another's answers for each token.
func checkAllowed(t testing.TB, v *llama.Vocab, masked, asked *llama.Grammar) {
	t.Helper()
	next := allowed(t, v, masked)
	for id := range llama.Token(v.Size()) {
		_, in := slices.BinarySearch(next, id)
		ok, err := asked.Allowed(id)
		if err != nil || ok != in {
			t.Fatalf("token %d %q: allowed %v (%v), by the mask %v", id, v.Piece(id, true), ok, err, in)
		}
	}
}

func TestGrammarMaskKeepsLogits(t *testing.T) {
	v := openVocab(t, vocabDir+"/ggml-vocab-gpt-2.gguf")
	g := openGrammar(t, v, `root ::= "yes" | "no"`)
	logits := make([]float32, v.Size())
	for i := range logits {
		logits[i] = float32(i)
	}
	if err := g.Mask(logits); err != nil {
		t.Fatal(err)
	}
	left := 0
	for i, l := range logits {
		if !math.IsInf(float64(l), -1) {
			left++
			if l != float32(i) {
				t.Errorf("logit %d became %v", i, l)
			}
		}
	}
	if left != len(allowed(t, v, g)) {
		t.Errorf("%d logits are left", left)
	}
	if err := g.Mask(logits[1:]); err == nil {
		t.Error("too few logits: no error")
	}
}

func TestGrammarClone(t *testing.T) {
	v := openVocab(t, vocabDir+"/ggml-vocab-gpt-2.gguf")
	g := openGrammar(t, v, `root ::= "(" root ")" | [0-9]`)
	mustAccept(t, v, g, "(")
	before := allowed(t, v, g)
	c, err := g.Clone()
	if err != nil {
		t.Fatal(err)
	}
	mustAccept(t, v, c, "7)")
	if !slices.ContainsFunc(allowed(t, v, c), v.IsEOG) {
		t.Error("the clone is not at its end")
	}
	if got := allowed(t, v, g); !slices.Equal(got, before) {
		t.Error("the original moved with its clone")
	}
	mustClose(t, c)
	mustAccept(t, v, g, "(3))")
}

func TestGrammarRefusesTokens(t *testing.T) {
	v := openVocab(t, vocabDir+"/ggml-vocab-gpt-2.gguf")
	g := openGrammar(t, v, `root ::= "yes"`)
	no, err := v.TokenizeContinuation("no", false)
	if err != nil {
		t.Fatal(err)
	}
	for name, tok := range map[string]llama.Token{"no": no[0], "EOS": v.EOS(), "-1": -1, "size": llama.Token(v.Size())} {
		if err := g.Accept(tok); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := g.Accept(no[0]); err == nil || !strings.Contains(err.Error(), `"no"`) {
		t.Errorf("%v does not name the token", err)
	}
	mustAccept(t, v, g, "yes") // nothing changed
}

// llama.cpp takes control tokens for the text of their names.
func TestGrammarControlTokensAreNoText(t *testing.T) {
	v := openVocab(t, vocabDir+"/ggml-vocab-llama-bpe.gguf")
	g := openGrammar(t, v, `root ::= [a-z<>|_]*`)
	next := allowed(t, v, g)
	if len(next) < 1000 || !slices.ContainsFunc(next, v.IsEOG) {
		t.Errorf("%d tokens may come", len(next))
	}
	for _, tok := range next {
		if v.IsControl(tok) && !v.IsEOG(tok) {
			t.Errorf("control token %d %q may come", tok, v.Text(tok))
		}
	}
}

// What would make llama.cpp abort, run out of memory or out of stack, or do
// something else than the text says, is an error, with the line or the rule.
func TestGrammarErrors(t *testing.T) {
	v := openVocab(t, vocabDir+"/ggml-vocab-gpt-2.gguf")
	for _, c := range []struct{ text, want string }{
		{"", "no rules"},
		{" # only a comment\n", "no rules"},
		{"start ::= \"a\"", `no rule "root"`},
		{"root ::= \"a\"\n\nb := \"b\"", "line 3: want ::="},
		{"root ::= \"a", "within quotes"},
		{"root ::= [a", "within quotes or brackets"},
		{"root ::= (\"a\" | \"b\"", "want )"},
		{"root ::= \"a\" )", "want the end of the line"},
		{"root ::= \"a\"\n  other", "line 2: want ::="},
		{"root ::= a\na ::= bee", `line 2: rule "bee" is used and not defined`},
		{"root ::= *", "nothing before it"},
		{"root ::= \"\"+", "nothing before it"},
		{"root ::= \"a\"{3,1}", "ends before it begins"},
		{"root ::= \"a\"{x}", "want a number"},
		{"root ::= \"a\"{2", "want }"},
		{"root ::= \"a\"{2001}", "there may be 2000"},
		{"root ::= \"a\"{99999999999999999999}", "there may be 2000"},
		{"root ::= (\"a\"{2}){1500}{2}", "stands for"},
		{"root ::= (" + strings.Repeat("\"abcdefgh\" ", 100) + "){500}{1}\nb ::= " + strings.Repeat("\"abcdefgh\" ", 20000), "elements"},
		{"root ::= [z-a]", "ends before it begins"},
		{"root ::= [^]", "has no characters"},
		{"root ::= \"\\q\"", "unknown escape"},
		{"root ::= \"\\u12\"", "4 hexadecimal digits"},
		{"root ::= \"a\x00b\"", "line 1: a NUL byte"},
		{"root ::=\n\"\xff\"", "line 2: not UTF-8"},
		{"root ::= <think>", "not supported"},
		{"root ::= !<[5]>", "not supported"},
		{"root ::= root \"a\" | \"b\"", "left recursion"},
		{"root ::= a root \"x\" | \"y\"\na ::= b\nb ::= | \"z\"", "left recursion"},
		{"root ::= a \"x\"\na ::= b a\nb ::= c\nc ::= ", "never begin"},
		{"root ::= " + strings.Repeat("(", 100_000), "nested more than"},
		{doublings(40), "can begin in"},
		{chain(10_000), "can begin in"},
		{strings.Repeat("#", 2<<20), "bytes, and there may be"},
	} {
		_, err := v.NewGrammar(c.text, "root")
		if !errors.Is(err, llama.ErrGrammar) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v, want %q", c.text, err, c.want)
		}
	}
	if _, err := v.NewGrammar(`root ::= "a"`, "ro\x00ot"); !errors.Is(err, llama.ErrGrammar) {
		t.Errorf("a root with NUL: %v", err)
	}
}

// doublings is a grammar whose start llama.cpp would read in 2^n ways.
func doublings(n int) string {
	var b strings.Builder
	b.WriteString("root ::= r0\n")
	for i := range n {
		fmt.Fprintf(&b, "r%d ::= | r%d r%d\n", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "r%d ::= \"x\"\n", n)
	return b.String()
}

// chain is a grammar of n rules that each begin with the next.
func chain(n int) string {
	var b strings.Builder
	b.WriteString("root ::= r0\n")
	for i := range n - 1 {
		fmt.Fprintf(&b, "r%d ::= r%d\n", i, i+1)
	}
	fmt.Fprintf(&b, "r%d ::= \"x\"\n", n-1)
	return b.String()
}

// llama.cpp's own grammars, and forms that look like left recursion or like
// errors and are none, can be used.
func TestGrammarsThatWork(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vocabDir, "../grammars/*.gbnf"))
	if err != nil || len(files) < 5 {
		t.Fatalf("grammars %v, %v", files, err)
	}
	good := map[string]string{
		"nested repetition":   `root ::= ("a"* "b"?)* "c"`,
		"empty parts":         `root ::= "" ("" | "c") | `,
		"empty recursion":     "root ::= a root | \"c\"\na ::= b\nb ::= | \"z\"",
		"defined twice":       "root ::= \"x\"\nroot ::= \"c\"",
		"line ends":           "\r\nroot ::= # comment\r\n \"a\" |\r\n \"c\"\r\nb ::= (\r\n\"x\"\r\n)\r\n",
		"escapes":             `root ::= "\x41\u00e9\U0001F999\t\r\n\\\"\[\]\-" | [\]\-\[x-] | "c"`,
		"repeated not at all": `root ::= "a"{0} "b"{0,} "c"{1}`,
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		good[filepath.Base(file)] = string(text)
	}
	v := openVocab(t, vocabDir+"/ggml-vocab-gpt-2.gguf")
	for name, text := range good {
		t.Run(name, func(t *testing.T) {
			g := openGrammar(t, v, text)
			follow(t, v, g, rand.New(rand.NewPCG(1, 2)), 5)
			if !strings.HasSuffix(name, ".gbnf") {
				mustAccept(t, v, openGrammar(t, v, text), "c")
			}
		})
	}
}

// follow accepts some random tokens that may come.
func follow(t interface{ Fatal(...any) }, v *llama.Vocab, g *llama.Grammar, rng *rand.Rand, steps int) {
	logits := make([]float32, v.Size())
	for range steps {
		clear(logits)
		if err := g.Mask(logits); err != nil {
			return // a text that the vocabulary cannot write
		}
		var next []llama.Token
		for id, l := range logits {
			if l == 0 {
				next = append(next, llama.Token(id))
			}
		}
		if err := g.Accept(next[rng.IntN(len(next))]); err != nil {
			t.Fatal(err)
		}
	}
}

// Grammars of random parts are refused with an error, or can be followed. What
// passes the checks here llama.cpp accepts too.
func TestGrammarOfRandomParts(t *testing.T) {
	v := openVocab(t, vocabDir+"/ggml-vocab-gpt-2.gguf")
	part := rapid.SampledFrom([]string{`"a"`, `"b" `, `[a-c]`, `[^x]`, ".", " a ", " b ", " root ", "(", ")", "(", ")", "*", "+", "?", "{2}", "{0,3}", "{1,}", " | ", " | ", "\n", "\na ::= ", "\nb ::= ", "é", `""`, `"日"`, "# x"})
	good := 0
	rapid.Check(t, func(t *rapid.T) {
		text := "root ::= " + strings.Join(rapid.SliceOfN(part, 1, 10).Draw(t, "parts"), "")
		if !strings.Contains(text, "\na ::=") {
			text += "\na ::= \"a\" | "
		}
		if !strings.Contains(text, "\nb ::=") {
			text += "\nb ::= a \"b\" | a"
		}
		g, err := v.NewGrammar(text, "root")
		if err != nil {
			if !errors.Is(err, llama.ErrGrammar) {
				t.Fatalf("llama.cpp refused %q: %v", text, err)
			}
			return
		}
		good++
		follow(t, v, g, rand.New(rand.NewPCG(3, uint64(len(text)))), 3)
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%d grammars could be followed", good)
}

func TestGrammarClose(t *testing.T) {
	m, err := llama.LoadModel(t.Context(), vocabDir+"/ggml-vocab-gpt-2.gguf", llama.ModelParams{VocabOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	v := m.Vocab()
	g, err := v.NewGrammar(`root ::= "a"`, "root")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); !errors.Is(err, llama.ErrInUse) || !strings.Contains(err.Error(), "grammar_test.go:") {
		t.Errorf("close under a grammar: %v", err)
	}
	for range 2 {
		mustClose(t, g)
		mustClose(t, m)
	}
	_, _, forced := g.Forced()
	for name, err := range map[string]error{
		"Mask":       g.Mask(make([]float32, v.Size())),
		"Allowed":    second(g.Allowed(1)),
		"Accept":     g.Accept(1),
		"Forced":     forced,
		"Clone":      second(g.Clone()),
		"NewGrammar": second(v.NewGrammar(`root ::= "a"`, "root")),
	} {
		if !errors.Is(err, llama.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// No text ends the process; one that is not refused can be followed.
func FuzzNewGrammar(f *testing.F) {
	v := openVocab(f, vocabDir+"/ggml-vocab-gpt-2.gguf")
	for _, w := range walks {
		f.Add(w.grammar)
	}
	f.Add("root ::= (\"a\"? b){0,3} # c\nb ::= | [^\\x00-\\x1F] .+")
	f.Add("root ::= \"a\"{3,1}")
	f.Add("root ::= a root \"x\"\na ::= b\nb ::= ")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := v.NewGrammar(text, "root")
		if err != nil {
			if !errors.Is(err, llama.ErrGrammar) {
				t.Fatalf("llama.cpp refused %q: %v", text, err)
			}
			return
		}
		defer mustClose(t, g)
		follow(t, v, g, rand.New(rand.NewPCG(5, 6)), 2)
	})
}

// BenchmarkGrammar is what a grammar costs a token, in a vocabulary of 151,646:
// where few tokens may come, where nearly all may, and for one token only.
func BenchmarkGrammar(b *testing.B) {
	v := openVocab(b, vocabDir+"/ggml-vocab-qwen2.gguf")
	text, err := os.ReadFile(filepath.Join(vocabDir, "../grammars/json.gbnf"))
	if err != nil {
		b.Fatal(err)
	}
	logits := make([]float32, v.Size())
	for _, at := range []struct{ name, text string }{{"a value", `{"key": `}, {"a string", `{"key": "te`}} {
		g := openGrammar(b, v, string(text))
		mustAccept(b, v, g, at.text)
		one, err := v.TokenizeContinuation("x", false)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("mask in "+at.name, func(b *testing.B) {
			b.ReportAllocs()
			c := cloneGrammar(b, g)
			for b.Loop() {
				c.Forget()
				if err := c.Mask(logits); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("forced in "+at.name, func(b *testing.B) {
			b.ReportAllocs()
			c := cloneGrammar(b, g)
			for b.Loop() {
				c.Forget()
				if _, _, err := c.Forced(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("allowed in "+at.name, func(b *testing.B) {
			b.ReportAllocs()
			c := cloneGrammar(b, g)
			for b.Loop() {
				if _, err := c.Allowed(one[0]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("clone in "+at.name, func(b *testing.B) {
			for b.Loop() {
				c, err := g.Clone()
				if err != nil {
					b.Fatal(err)
				}
				mustClose(b, c)
			}
		})
	}
}
