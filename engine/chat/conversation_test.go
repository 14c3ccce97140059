package chat

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// byteVocab has a token for each byte, and control tokens <0> … <9> from 256
// on. A text that does not follow ordinary text gets a space in front, as in
// SPM vocabularies.
type byteVocab struct {
	bos   Token
	space bool
	calls []string // texts tokenized as content
}

func (v *byteVocab) Tokenize(text string, special, after bool) ([]Token, error) {
	if !special {
		v.calls = append(v.calls, text)
	}
	var out []Token
	if v.space && !after && text != "" && text[0] != '<' {
		out = append(out, ' ')
	}
	for i := 0; i < len(text); i++ {
		if special && i+2 < len(text) && text[i] == '<' && text[i+2] == '>' && text[i+1] >= '0' && text[i+1] <= '9' {
			out = append(out, Token(256+int(text[i+1]-'0')))
			i += 2
			continue
		}
		out = append(out, Token(text[i]))
	}
	return out, nil
}

func (v *byteVocab) ids(t *testing.T, text string) []Token {
	t.Helper()
	ids, err := v.Tokenize(text, false, true)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func (v *byteVocab) Piece(t Token) []byte {
	if t >= 256 {
		return nil
	}
	return []byte{byte(t)}
}
func (v *byteVocab) Control(t Token) bool { return t >= 256 }
func (v *byteVocab) BOS() Token           { return v.bos }

// text shows ids with control tokens as <n>.
func (v *byteVocab) text(ids []Token) string {
	var b strings.Builder
	for _, id := range ids {
		if id >= 256 {
			b.WriteString("<" + string('0'+id-256) + ">")
		} else {
			b.WriteByte(byte(id))
		}
	}
	return b.String()
}

// goTemplate is a Renderer in Go, of the shape that ChatML templates have.
type goTemplate struct {
	noSystem, trim, quote, drop bool
	tail                        string // behind the mark of the assistant's answer
	renders                     int
}

func (g *goTemplate) Render(_ context.Context, msgs []Message) (string, error) {
	g.renders++
	var out strings.Builder
	for _, m := range msgs {
		if m.Role == System && g.noSystem {
			return "", errors.New("System role not supported")
		}
		text := m.Text
		if g.trim {
			text = strings.TrimSpace(text)
		}
		if g.quote {
			text = strings.ReplaceAll(text, `"`, `\"`)
		}
		if g.drop && m.Role == Assistant {
			text = ""
		}
		out.WriteString("<1>" + string(m.Role) + "\n" + text + "<2>\n")
	}
	return out.String() + "<1>assistant\n" + g.tail, nil
}

func formatter(t *testing.T, l Framer, v Tokenizer) *Formatter {
	t.Helper()
	f, err := NewFormatter(t.Context(), l, v)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestAnswer: before an answer that is given, thoughts that the template opens are closed, in the first turn and in later
// ones, and the conversation itself stays as it is. Behind an answer no open thought is left.
func TestAnswer(t *testing.T) {
	const empty = "<think>\n\n</think>\n\n"
	thought := ThinkTags{"[THINK]", "[/THINK]"}
	for _, c := range []struct {
		tail string
		tags ThinkTags
		want string
	}{
		{"<think>\n", commonThinkTags, empty},
		{"<think>", commonThinkTags, empty},
		{"<think>\n\n", commonThinkTags, empty},
		{"[THINK]", thought, "[THINK][/THINK]"},
		{empty, commonThinkTags, empty},
		{"", commonThinkTags, ""},
		{"<think>\n", ThinkTags{}, "<think>\n"},
	} {
		v := &byteVocab{bos: 256}
		first, err := formatter(t, NewTemplate(&goTemplate{tail: c.tail}, c.tags), v).Open(t.Context(), []Message{{Role: User, Text: "hi"}})
		if err != nil {
			t.Fatal(err)
		}
		second, err := first.Next(t.Context(), v.ids(t, "yo"), Message{Text: "why"})
		if err != nil {
			t.Fatal(err)
		}
		opens, unchanged := PromptOpensThink(c.tail, c.tags), "<0><1>user\nhi<2>\n<1>assistant\n"
		if !opens {
			unchanged += c.tail // what the turn went on from stays
		}
		if got, want := v.text(second.Tokens), unchanged+"yo<2>\n<1>user\nwhy<2>\n<1>assistant\n"+c.tail; got != want {
			t.Errorf("%q: the next turn is asked for behind %q, want %q", c.tail, got, want)
		}
		for _, asked := range []*Conversation{first, second} {
			before := v.text(asked.Tokens)
			answer, err := asked.Answer()
			if err != nil {
				t.Fatal(err)
			}
			ids, err := asked.CompletionIDs(t.Context(), "so")
			if err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSuffix(before, c.tail) + c.want
			if got := v.text(answer.Tokens); got != want || v.text(asked.Tokens) != before || v.text(ids) != "so<2>" {
				t.Errorf("%q: %q with %q, want %q", c.tail, got, v.text(ids), want)
			}
		}
	}
}

func TestOpenAndNext(t *testing.T) {
	for _, c := range []struct {
		name   string
		layout Framer
		msgs   []Message
		want   string
		next   string
	}{
		{
			"template", NewTemplate(&goTemplate{}, ThinkTags{}),
			[]Message{{Role: System, Text: "be"}, {Role: User, Text: " hi "}},
			"<0><1>system\nbe<2>\n<1>user\n hi <2>\n<1>assistant\n",
			"yo<2>\n<1>user\nwhy<2>\n<1>assistant\n",
		},
		{
			"a template that trims", NewTemplate(&goTemplate{trim: true}, ThinkTags{}),
			[]Message{{Role: User, Text: " hi\n"}},
			"<0><1>user\nhi<2>\n<1>assistant\n",
			"yo<2>\n<1>user\nwhy<2>\n<1>assistant\n",
		},
		{
			"a template without a system role", NewTemplate(&goTemplate{noSystem: true}, ThinkTags{}),
			[]Message{{Role: System, Text: "be"}, {Role: User, Text: "hi"}},
			"<0><1>user\nbe\n\nhi<2>\n<1>assistant\n",
			"yo<2>\n<1>user\nwhy<2>\n<1>assistant\n",
		},
		{
			"control text in contents stays text", NewTemplate(&goTemplate{}, ThinkTags{}),
			[]Message{{Role: User, Text: "<2>"}},
			"<0><1>user\n<2><2>\n<1>assistant\n",
			"yo<2>\n<1>user\nwhy<2>\n<1>assistant\n",
		},
		{
			"plain transcript", Plain{},
			[]Message{{Role: User, Text: "hi"}, {Role: Assistant, Text: "a "}, {Role: User, Text: "b"}},
			"<0>\n\nHuman: hi\n\nAssistant: a\n\nHuman: b\n\nAssistant:",
			"yo\n\nHuman: why\n\nAssistant:",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := &byteVocab{bos: 256}
			f := formatter(t, c.layout, v)
			conv, err := f.Open(t.Context(), c.msgs)
			if err != nil {
				t.Fatal(err)
			}
			if got := v.text(conv.Tokens); got != c.want {
				t.Errorf("opened as %q, want %q", got, c.want)
			}
			for _, id := range conv.Tokens[1:] {
				if c.name == "control text in contents stays text" && id == 258 {
					// The one control token 2 is the template's own, after the content's three bytes.
					if i := slices.Index(conv.Tokens, 258); !slices.Equal(conv.Tokens[i-3:i], []Token{'<', '2', '>'}) {
						t.Errorf("the content's <2> became a control token: %v", conv.Tokens)
					}
				}
			}
			on, err := conv.Next(t.Context(), []Token{'y', 'o'}, Message{Text: "why"})
			if err != nil {
				t.Fatal(err)
			}
			if got := v.text(on.Tokens); got != c.want+c.next {
				t.Errorf("went on as %q, want %q", strings.TrimPrefix(got, c.want), c.next)
			}
		})
	}
}

func TestExactlyOneBOS(t *testing.T) {
	for _, bos := range []Token{-1, 256, 257} { // none, not in the template, written by the template too
		v := &byteVocab{bos: bos}
		conv, err := formatter(t, NewTemplate(&goTemplate{}, ThinkTags{}), v).Open(t.Context(), []Message{{Role: User, Text: "x"}})
		if err != nil {
			t.Fatal(err)
		}
		if bos >= 0 && (conv.Tokens[0] != bos || conv.Tokens[1] == bos) {
			t.Errorf("BOS %d: sequence starts with %v", bos, conv.Tokens[:3])
		}
		if bos < 0 && conv.Tokens[0] != 257 {
			t.Errorf("no BOS wanted: sequence starts with %v", conv.Tokens[:3])
		}
	}
}

// TestTemplatesThatCannotBeTrusted: a template that changes or loses contents
// is refused when the formatter is made, not when a row comes.
func TestTemplatesThatCannotBeTrusted(t *testing.T) {
	for name, g := range map[string]*goTemplate{"quotes": {quote: true}, "drops": {drop: true}} {
		if _, err := NewFormatter(t.Context(), NewTemplate(g, ThinkTags{}), &byteVocab{bos: -1}); err == nil || !strings.Contains(err.Error(), "chat to plain") {
			t.Errorf("a template that %s contents: %v", name, err)
		}
	}
}

// TestPrefixIsThePrefix: whatever the few-shots and prompts, the tokens that
// are pinned are what every conversation starts with, each template shape is
// rendered once, and no few-shot is tokenized again for another row.
func TestPrefixIsThePrefix(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := &goTemplate{trim: rapid.Bool().Draw(rt, "trim"), noSystem: rapid.Bool().Draw(rt, "no system")}
		layout := Framer(NewTemplate(g, ThinkTags{}))
		if rapid.Bool().Draw(rt, "plain") {
			layout = Plain{}
		}
		v := &byteVocab{bos: rapid.SampledFrom([]Token{-1, 256}).Draw(rt, "bos"), space: rapid.Bool().Draw(rt, "space")}
		f := formatter(t, layout, v)
		text := rapid.StringMatching(`[ <>0-3a-c\n]{0,6}`)
		shots := []Message{{Role: System, Text: "s"}}
		for range rapid.IntRange(0, 3).Draw(rt, "shots") {
			shots = append(shots, Message{Role: User, Text: text.Draw(rt, "u")}, Message{Role: Assistant, Text: text.Draw(rt, "a")})
		}
		shots, err := f.Tokenize(t.Context(), shots)
		if err != nil {
			rt.Fatal(err)
		}
		prefix, err := f.Prefix(t.Context(), shots)
		if err != nil {
			rt.Fatal(err)
		}
		renders := g.renders
		for range 3 {
			v.calls = nil
			prompt := text.Draw(rt, "prompt")
			conv, err := f.Open(t.Context(), append(slices.Clone(shots), Message{Role: User, Text: prompt}))
			if err != nil {
				rt.Fatal(err)
			}
			if len(conv.Tokens) < len(prefix) || !slices.Equal(conv.Tokens[:len(prefix)], prefix) {
				rt.Fatalf("prefix %q, conversation %q", v.text(prefix), v.text(conv.Tokens))
			}
			if len(v.calls) > 1 {
				rt.Fatalf("tokenized again: %q", v.calls)
			}
		}
		if g.renders > renders {
			rt.Fatalf("%d more renders for a shape that was known", g.renders-renders)
		}
	})
}

// TestWholeIsWhatFollows: an answer to be learnt is what stands in a conversation that continues after it, up to the
// token that ends a turn, or in a layout of text alone the string that does.
func TestWholeIsWhatFollows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		plain := rapid.Bool().Draw(rt, "plain")
		layout := Framer(NewTemplate(&goTemplate{trim: rapid.Bool().Draw(rt, "trim")}, ThinkTags{}))
		if plain {
			layout = Plain{}
		}
		v := &byteVocab{bos: rapid.SampledFrom([]Token{-1, 256}).Draw(rt, "bos")}
		f := formatter(t, layout, v)
		text := rapid.StringMatching(`[a-c]{1,6}`)
		c, err := f.Open(t.Context(), []Message{{Role: User, Text: text.Draw(rt, "prompt")}})
		if err != nil {
			rt.Fatal(err)
		}
		answer := text.Draw(rt, "answer")
		whole, err := c.CompletionIDs(t.Context(), answer)
		if err != nil {
			rt.Fatal(err)
		}
		reply, err := c.Reply(t.Context(), answer)
		if err != nil {
			rt.Fatal(err)
		}
		next, err := c.Next(t.Context(), reply, Message{Text: "more"})
		if err != nil {
			rt.Fatal(err)
		}
		if went := next.Tokens[len(c.Tokens):]; len(whole) <= len(reply) || !slices.Equal(went[:len(whole)], whole) {
			rt.Fatalf("%q is learnt, %q follows", v.text(whole), v.text(went))
		}
		for i, id := range whole {
			if last := i == len(whole)-1; v.Control(id) && !last || !plain && last && !v.Control(id) {
				rt.Fatalf("token %d of %q", i, v.text(whole))
			}
		}
		if plain && !strings.HasSuffix(v.text(whole), answer+Plain{}.Stops()[0]) {
			rt.Fatalf("%q does not end with what stops a turn", v.text(whole))
		}
	})
}

// TestKeepCoversTheText: the ids of what is kept spell the kept text, for any
// cut and any token boundaries, with no control token among them.
func TestKeepCoversTheText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := &runVocab{}
		f := &Formatter{vocab: v}
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{"a", " b", "é", "\xc3", "\xa9", "", "\n", "cde ", "\xff"}), 0, 8).Draw(rt, "pieces")
		var ids []Token
		var text string
		for _, p := range pieces {
			ids = append(ids, v.add(p))
			text += p
		}
		text = text[:rapid.IntRange(0, len(text)).Draw(rt, "stop")]
		start := rapid.IntRange(0, len(text)).Draw(rt, "start")
		k, err := f.Keep(ids, text, start)
		if err != nil {
			rt.Fatal(err)
		}
		var spelt string
		for _, id := range k.Tokens {
			if v.Control(id) {
				rt.Fatalf("kept a token without text: %v", k.Tokens)
			}
			spelt += string(v.Piece(id))
		}
		want := text[start:]
		if tail := strings.TrimPrefix(want, spelt); !strings.HasPrefix(want, spelt) || strings.TrimRight(tail, whiteSpace) != "" && utf8.FullRuneInString(strings.TrimLeft(tail, whiteSpace)) {
			rt.Fatalf("text %q from %d: kept ids spell %q", text, start, spelt)
		}
		if !utf8.ValidString(k.Text) || k.Text != strings.TrimSpace(k.Text) {
			rt.Fatalf("kept text %q", k.Text)
		}
	})
}

// TestKeepRetokenizesOnlyTheEdge: tokens that end inside what is cut off are
// the only ones not kept as they were generated.
func TestKeepRetokenizesOnlyTheEdge(t *testing.T) {
	v := &runVocab{}
	f := &Formatter{vocab: v}
	ids := []Token{v.add("Sure"), v.add(", yes."), v.add("\n\nHu")}
	k, err := f.Keep(ids, "Sure, yes.", 0)
	if err != nil || !slices.Equal(k.Tokens, ids[:2]) || k.Retokenized != 0 {
		t.Errorf("cut at a token's end: %+v, %v", k, err)
	}
	k, err = f.Keep(ids, "Sure, y", 0)
	if err != nil || k.Tokens[0] != ids[0] || k.Retokenized != 3 || k.Text != "Sure, y" {
		t.Errorf("cut inside a token: %+v, %v", k, err)
	}
}

// runVocab has one token for each text it was given, and bytes.
type runVocab struct{ pieces []string }

func (v *runVocab) add(p string) Token {
	v.pieces = append(v.pieces, p)
	return Token(1000 + len(v.pieces) - 1)
}

func (v *runVocab) Tokenize(text string, _, _ bool) ([]Token, error) {
	var out []Token
	for i := range len(text) {
		out = append(out, Token(text[i]))
	}
	return out, nil
}

func (v *runVocab) Piece(t Token) []byte {
	if t >= 1000 {
		return []byte(v.pieces[t-1000])
	}
	return []byte{byte(t)}
}
func (v *runVocab) Control(t Token) bool { return len(v.Piece(t)) == 0 }
func (v *runVocab) BOS() Token           { return -1 }
