package quote

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"amend/engine/sample"
)

// pairs is a vocabulary of single bytes, and of two bytes together, as " a" or "ab".
type pairs struct{}

const known = "abcTheristongpcy. \"\n"

func (pairs) Piece(t sample.Token) []byte {
	n := len(known)
	if int(t) < n {
		return []byte{known[t]}
	}
	return []byte{known[(int(t)-n)/n], known[(int(t)-n)%n]}
}

func (p pairs) size() int { return len(known) * (len(known) + 1) }

func (p pairs) Tokenize(text string, _, _ bool) (out []sample.Token, err error) {
	n := len(known)
	for len(text) > 0 {
		if len(text) > 1 && text[0] != '"' && text[1] != '"' {
			out = append(out, sample.Token(n+strings.IndexByte(known, text[0])*n+strings.IndexByte(known, text[1])))
			text = text[2:]
			continue
		}
		out = append(out, sample.Token(strings.IndexByte(known, text[0])))
		text = text[1:]
	}
	return out, nil
}

func text(v Vocab, tokens []sample.Token) string {
	var b strings.Builder
	for _, t := range tokens {
		b.Write(v.Piece(t))
	}
	return b.String()
}

// TestMask: whatever is drawn, a critique finds nothing or begins by quoting words of the draft, and all ways to ask what may come
// next agree.
func TestMask(t *testing.T) {
	var v pairs
	form, err := NewForm(v)
	if err != nil {
		t.Fatal(err)
	}
	quoted, short := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		draft, err := v.Tokenize(rapid.StringMatching(`[abc]{0,4}( [abc]{1,4}){0,6}[.\n ]{0,2}`).Draw(t, "draft"), false, false)
		if err != nil {
			t.Fatal(err)
		}
		m, err := form.Of(draft)
		if err != nil {
			t.Fatal(err)
		}
		var said []sample.Token
		for m.part != free {
			logits := make([]float32, v.size())
			if err := m.Mask(logits); err != nil {
				t.Fatal(err)
			}
			var may []sample.Token
			for id, l := range logits {
				ok, _ := m.Allowed(sample.Token(id))
				if ok == math.IsInf(float64(l), -1) {
					t.Fatalf("token %d after %q: allowed %v, logit %v", id, text(v, said), ok, l)
				}
				if ok {
					may = append(may, sample.Token(id))
				} else if err := m.Accept(sample.Token(id)); err == nil {
					t.Fatalf("token %d after %q is accepted", id, text(v, said))
				}
			}
			if forced, ok, _ := m.Forced(); ok != (len(may) == 1) || ok && forced != may[0] {
				t.Fatalf("%v may come, and %d is forced: %v", may, forced, ok)
			}
			next := rapid.SampledFrom(may).Draw(t, "next")
			if err := m.Accept(next); err != nil {
				t.Fatal(err)
			}
			said = append(said, next)
		}
		got := text(v, said)
		if got == nothing {
			return
		}
		quotation, found := strings.CutPrefix(got, stem)
		quotation, closed := strings.CutSuffix(quotation, end)
		whole := text(v, draft)
		if !found || !closed || quotation == "" || !strings.Contains(whole, quotation) || strings.TrimSpace(quotation[:1]) == "" {
			t.Fatalf("%q is no quotation of %q", got, whole)
		}
		if at := strings.Index(" "+whole, " "+quotation); at < 0 && !strings.Contains("\n"+whole, "\n"+quotation) {
			t.Fatalf("%q of %q begins inside a word", quotation, whole)
		}
		quoted++
		if !strings.HasSuffix(whole, quotation) {
			short++
		}
		if ok, _ := m.Allowed(7); !ok {
			t.Fatal("behind the quotation not everything may come")
		}
	})
	if quoted == 0 || short == 0 {
		t.Errorf("%d drafts were quoted, %d not to their end", quoted, short)
	}
}

// TestWordless: a draft without a word can only be found in order.
func TestWordless(t *testing.T) {
	var v pairs
	form, err := NewForm(v)
	if err != nil {
		t.Fatal(err)
	}
	m, err := form.Of(nil)
	if err != nil {
		t.Fatal(err)
	}
	if next := m.next(); !slices.Equal(next, form.nothing[:1]) {
		t.Errorf("%v may come first", next)
	}
}
