package language

import (
	"testing"
	"unicode/utf8"
)

func TestOf(t *testing.T) {
	for text, want := range map[string]string{
		"I cannot help with that, but you can ask for something else.":     "en",
		"Es tut mir leid, aber ich kann dir das nicht sagen.":              "de",
		"Je ne peux pas vous aider avec ça, mais il y a des associations.": "fr",
		"Lo siento, pero no puedo ayudarte con eso.":                       "es",
		"我不能帮助你。":                                                          "zh",
		"申し訳ありませんが、お手伝いできません。":                                             "ja",
		"죄송하지만 도와드릴 수 없습니다.":                                               "ko",
		"Я не могу вам помочь.":                                            "Cyrillic script",
		"Δεν μπορώ να βοηθήσω.":                                            "el",
		"The word “欺骗” means to deceive, and it is not a kind one.":        "en",
		"":                "",
		"42":              "",
		"No.":             "",
		"Paris, Lyon":     "",
		"func main() {}":  "",
		"\xff\xfe broken": "",
	} {
		if got := Of(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// FuzzOf: any text has one name, the same each time.
func FuzzOf(f *testing.F) {
	f.Add("the und de la is 日本 и")
	f.Fuzz(func(t *testing.T, text string) {
		got := Of(text)
		if again := Of(text); got != again || !utf8.ValidString(got) {
			t.Errorf("%q: %q, then %q", text, got, again)
		}
	})
}
