package compare

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestRow: figures of cases that were made for it.
func TestRow(t *testing.T) {
	long := strings.Repeat("word ", 20)
	cases := []Case{
		{Prompt: "a", Base: Answer{Text: "one two three four"}, Answer: Answer{Text: "one two three five", Flags: []string{"cut"}}, Wins: map[string]float64{"judge": 1, "pm": 1}},
		{Prompt: "b", Base: Answer{Text: long}, Answer: Answer{Text: "I can't.", Declines: true}, Wins: map[string]float64{"judge": 1, "pm": 0}},
		{Prompt: "c", Base: Answer{Text: "same"}, Answer: Answer{Text: "same"}, Wins: map[string]float64{"judge": 0.5, "pm": 0.5}},
		{Prompt: "d", Base: Answer{Text: "no words alike"}, Answer: Answer{Text: "все другое", NotJudged: true}, Wins: map[string]float64{"pm": 0}},
	}
	r := NewRow("round 1", cases, []string{"judge", "pm", "nobody"})
	if r.Cases != 4 || r.Unchanged != 1 || r.NotJudged != 1 || r.Refusals.Count != 1 || r.Refusals.Of != 3 || r.Flags["cut"] != 1 || r.Language.Count != 1 {
		t.Errorf("%+v", r)
	}
	if want := (0.75 + 0 + 1 + 0) / 4; r.Kept.Value != want {
		t.Errorf("kept %v, want %v", r.Kept.Value, want)
	}
	if len(r.Wins) != 3 || r.Wins[0].By != "judge" || r.Wins[2].All.Of != 0 {
		t.Fatalf("%+v", r.Wins)
	}
	for i, want := range []struct{ all, helping, alike float64 }{{2.5 / 3, 0.75, 0.75}, {1.5 / 4, 0.75, 0.75}} {
		if w := r.Wins[i]; w.All.Share != want.all || w.Helping.Share != want.helping || w.Alike.Share != want.alike {
			t.Errorf("%s: all %v, helping %v, alike %v; want %+v", w.By, w.All.Share, w.Helping.Share, w.Alike.Share, want)
		}
	}
}

// TestOtherLanguages: languages of one script are told apart, and a text that says of none counts by its script.
func TestOtherLanguages(t *testing.T) {
	const english, german = "You should see a doctor about that, and not wait for it.", "Das ist nicht gut, und du solltest mit einer Ärztin sprechen."
	for _, c := range []struct {
		a, b string
		want bool
	}{{english, german, true}, {english, english + " Now.", false}, {english, "42", true}, {english, "Ibuprofen 400", false}, {"все другое", english, true}} {
		if got := areOtherLanguages(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: %v", c.a, c.b, got)
		}
	}
}

func TestFirstSentence(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "",
		"One. Two.":                 "One.",
		"It costs 3.50 euros. Yes.": "It costs 3.50 euros.",
		"1. Boil it.\n2. Eat it.":   "1. Boil it.",
		"No end":                    "No end",
		"Title\nText.":              "Title",
		"是的。不是。":                    "是的。",
		"  Really?! Yes.":           "Really?!",
	} {
		if got := FirstSentence(text); got != want {
			t.Errorf("of %q: %q, want %q", text, got, want)
		}
	}
}

// TestTexts: what holds of any texts.
func TestTexts(t *testing.T) {
	rapid.Check(t, func(p *rapid.T) {
		a, b := rapid.String().Draw(p, "a"), rapid.String().Draw(p, "b")
		if k := Kept(a, b); !(k >= 0 && k <= 1) || Kept(a, a) != 1 || Kept(a, a+" "+b) != 1 {
			p.Errorf("of %q in %q: %v", a, b, k)
		}
		if s := FirstSentence(a); !strings.HasPrefix(strings.TrimSpace(a), s) && utf8.ValidString(a) {
			p.Errorf("first sentence %q of %q", s, a)
		}
	})
}
