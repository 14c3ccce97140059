package language

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestScript(t *testing.T) {
	for text, want := range map[string]string{"": "", "12 !": "", "abc я": "Latin", "Привет a": "Cyrillic", "こんにちは世界": "Han", "你好": "Han", "안녕": "Hangul"} {
		if got := Script(text); got != want {
			t.Errorf("of %q: %q, want %q", text, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "Don't “mix” THEM, it's 3rd-rate!": "dont mix them its 3rd rate", "我 不know": "我 不 know", "`a`b": "ab", "नहीं": "नहीं",
	} {
		if got := strings.Join(Words(text), " "); got != want {
			t.Errorf("of %q: %q, want %q", text, got, want)
		}
	}
}

func TestClear(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"How do I kill a process?": "en",
		"Paris, Lyon, Marseille":   "",
		"Was ist das und wo finde ich die Datei?":      "de",
		"Och det är inte den som jag kan":              "sv",
		"Det er en som kan":                            "", // Danish or Swedish
		"Je ne sais pas, mais il est dans la cuisine.": "fr",
	} {
		if got := Count(slices.Values(Words(text))).Clear(3); got != want {
			t.Errorf("of %q: %q, want %q", text, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		text, language string
		want           bool
	}{
		{"Say it in French, please.", "fr", true},
		{"Say it in French, please.", "de", false},
		{"What is sorry in Japanese?", "Han", true},
		{"Translate this.", "Thai", true},
		{"What shall I cook?", "Han", false},
	} {
		if got := Names(Words(tt.text), tt.language); got != tt.want {
			t.Errorf("%q, %s: %v", tt.text, tt.language, got)
		}
	}
}

// TestRuns: the stretches are in their order, hold all letters, and each has letters of its script alone.
func TestRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("aéя我カ한ि्न αb!1 \u0301"))).Draw(t, "text")
		var letters []rune
		last := ""
		for run, script := range Runs(text) {
			for _, r := range run {
				if s := ScriptOf(r); s != "" {
					letters = append(letters, r)
					if s != script {
						t.Fatalf("%q of %q is %s", run, text, script)
					}
				}
			}
			if !strings.Contains(text, run) || script == "" {
				t.Fatalf("%q (%s) of %q", run, script, text)
			}
			last = run
		}
		var want []rune
		for _, r := range text {
			if ScriptOf(r) != "" {
				want = append(want, r)
			}
		}
		if !slices.Equal(letters, want) || len(want) > 0 && last == "" {
			t.Fatalf("%q in %q", string(letters), text)
		}
	})
}
