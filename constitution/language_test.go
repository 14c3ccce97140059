package constitution

import (
	"encoding/json"
	"os"
	"testing"
)

// TestSameLanguage: tags and English names of one language are the same, whatever the region, the script and the case.
func TestSameLanguage(t *testing.T) {
	for _, same := range [][]string{
		{"en", "EN", "en-US", "en_GB", "en-us", "eng", "eng_Latn", "English", "english", " English ", "English (US)", "American English", "en_US.UTF-8", "English-US"},
		{"pt", "pt-BR", "por", "Portuguese", "Portuguese (Brazil)", "Brazilian Portuguese", "brazilian-portuguese"},
		{"zh", "zh-Hans", "zho_Hant", "cmn", "Chinese", "Simplified Chinese", "Chinese (Simplified)", "Chinese-Traditional", "Mandarin Chinese"},
		{"fa", "per", "Persian", "Farsi", "Iranian Persian"},
		{"no", "nb", "Norwegian", "Norwegian Bokmål"},
		{"he", "iw", "Hebrew"},
		{"ar", "Standard Arabic", "arb_Arab"},
		{"ht", "Haitian Creole"},
		{"sr", "Serbian", "Serbian Latin", "sr-Latn", "sr_latin"},
		{"es", "Spanish; Castilian"},
		{"klingon", "Klingon"},
	} {
		for _, a := range same {
			for _, b := range same {
				if !SameLanguage(a, b) {
					t.Errorf("%q and %q are two languages", a, b)
				}
			}
		}
		for _, other := range []string{"xx", "de-CH", "Latin", "Scots", "Old Norse", "Sign Language"} {
			if SameLanguage(same[0], other) {
				t.Errorf("%q and %q are one language", same[0], other)
			}
		}
	}
}

// TestEveryLanguageName: no name of the table is a code of another language.
func TestEveryLanguageName(t *testing.T) {
	for a := 'a'; a <= 'z'; a++ {
		for b := 'a'; b <= 'z'; b++ {
			code := string([]rune{a, b})
			if to := languageCode(code); to != code && languageCode(to) != to {
				t.Errorf("%s is %s, which is %s", code, to, languageCode(to))
			}
		}
	}
}

// TestLanguagesOfRows: the rows of 21.jsonl are in the language of 21.yaml's principle, however they say so.
func TestLanguagesOfRows(t *testing.T) {
	doc, err := Load("testdata/21.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, _ := doc.Principle("french")
	f, err := os.Open("testdata/21.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for dec := json.NewDecoder(f); dec.More(); {
		var row Attributes
		if err := dec.Decode(&row); err != nil {
			t.Fatal(err)
		}
		if !p.Applies.At(row) {
			t.Errorf("a row in %q is in no language of %v", row.Language, p.Applies.Languages)
		}
	}
	if p.Applies.At(Attributes{Language: "French"}) {
		t.Error("a French row is English")
	}
}
