package language

import "slices"

// names are the words by which a text may speak of a language, or of those who speak it, by code or script.
var names = byWord(map[string]string{
	"en": "english england britain british american",
	"de": "german germany austria austrian swiss deutsch",
	"fr": "french france quebec canadian français",
	"es": "spanish spain castilian mexico mexican latino hispanic español",
	"it": "italian italy italiano",
	"pt": "portuguese portugal brazil brazilian português",
	"nl": "dutch netherlands flemish afrikaans",
	"sv": "swedish sweden",
	"da": "danish denmark norwegian norway",
	"pl": "polish poland",
	"cs": "czech slovak",
	"ro": "romanian romania",
	"hu": "hungarian hungary",
	"fi": "finnish finland",
	"tr": "turkish turkey",
	"id": "indonesian indonesia malay malaysia",
	"vi": "vietnamese vietnam",
	"sw": "swahili kenya tanzania",

	"Arabic":     "arabic arab arabs persian farsi urdu pashto islam islamic muslim muslims quran koran allah",
	"Armenian":   "armenian armenia",
	"Bengali":    "bengali bangla bangladesh",
	"Cyrillic":   "cyrillic russian russia ukrainian ukraine bulgarian serbian macedonian belarusian kazakh mongolian soviet",
	"Devanagari": "hindi sanskrit marathi nepali india indian hindu",
	"Georgian":   "georgian georgia",
	"Greek":      "greek greece formula physics maths math mathematics equation angle",
	"Gujarati":   "gujarati india indian",
	"Gurmukhi":   "punjabi sikh india indian",
	"Han":        "chinese china mandarin cantonese taiwan taiwanese japanese japan kanji kana hiragana katakana hanzi korean anime manga",
	"Hangul":     "korean korea hangul",
	"Hebrew":     "hebrew jewish jews israel israeli torah bible yiddish",
	"Kannada":    "kannada india indian",
	"Khmer":      "khmer cambodia cambodian",
	"Lao":        "lao laos",
	"Latin":      "latin english french german spanish italian",
	"Malayalam":  "malayalam india indian",
	"Myanmar":    "burmese burma myanmar",
	"Sinhala":    "sinhala sinhalese lanka",
	"Tamil":      "tamil india indian lanka",
	"Telugu":     "telugu india indian",
	"Thai":       "thai thailand",
})

// general are words of texts that may be about any language.
var general = byWord(map[string]string{
	"any": "translate translated translates translating translation translations translator language languages linguistic linguistics bilingual " +
		"multilingual alphabet alphabets unicode pronounce pronounced pronunciation etymology foreign",
})

// Names reports whether one of a text's words names a language, by its code, or a script, or speaks of languages at all.
func Names(words []string, language string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return general[w] != nil || slices.Contains(names[w], language)
	})
}
