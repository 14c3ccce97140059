package constitution

// languageCode is the ISO 639-1 code of a language's ISO 639-2 or 639-3 code or English name in lower case, also where the
// code is an older one, or that of its commonest variety. Anything else is returned as it is. The names are those of the Unicode
// CLDR and of data sets. They are here and not in a library, because a name that changes there would change draws.
func languageCode(name string) string {
	switch name {
	case "aar", "afar":
		return "aa"
	case "abk", "abkhazian":
		return "ab"
	case "ave", "avestan":
		return "ae"
	case "afr", "afrikaans":
		return "af"
	case "aka", "akan", "tw", "twi":
		return "ak"
	case "amh", "amharic":
		return "am"
	case "arg", "aragonese":
		return "an"
	case "ara", "arabic", "arb":
		return "ar"
	case "asm", "assamese":
		return "as"
	case "ava", "avaric":
		return "av"
	case "aym", "aymara":
		return "ay"
	case "aze", "azerbaijani", "azj":
		return "az"
	case "bak", "bashkir":
		return "ba"
	case "bel", "belarusian":
		return "be"
	case "bul", "bulgarian":
		return "bg"
	case "bih", "bihari":
		return "bh"
	case "bis", "bislama":
		return "bi"
	case "bam", "bambara":
		return "bm"
	case "ben", "bangla", "bengali":
		return "bn"
	case "bod", "tibetan", "tib":
		return "bo"
	case "bre", "breton":
		return "br"
	case "bos", "bosnian":
		return "bs"
	case "cat", "catalan", "valencian":
		return "ca"
	case "che", "chechen":
		return "ce"
	case "cha", "chamorro":
		return "ch"
	case "cos", "corsican":
		return "co"
	case "cre", "cree":
		return "cr"
	case "ces", "czech", "cze":
		return "cs"
	case "chu", "church slavic":
		return "cu"
	case "chv", "chuvash":
		return "cv"
	case "cym", "welsh", "wel":
		return "cy"
	case "dan", "danish":
		return "da"
	case "deu", "german", "ger":
		return "de"
	case "div", "divehi":
		return "dv"
	case "dzo", "dzongkha":
		return "dz"
	case "ewe":
		return "ee"
	case "ell", "greek", "gre":
		return "el"
	case "eng", "english":
		return "en"
	case "epo", "esperanto":
		return "eo"
	case "spa", "spanish", "castilian":
		return "es"
	case "est", "estonian", "ekk":
		return "et"
	case "eus", "basque", "baq":
		return "eu"
	case "fas", "persian", "per", "pes", "farsi", "dari":
		return "fa"
	case "ful", "fulah":
		return "ff"
	case "fin", "finnish":
		return "fi"
	case "fij", "fijian":
		return "fj"
	case "fao", "faroese":
		return "fo"
	case "fra", "french", "fre":
		return "fr"
	case "fry", "western frisian", "frisian":
		return "fy"
	case "gle", "irish", "gaeilge":
		return "ga"
	case "gla", "scottish gaelic", "gaelic":
		return "gd"
	case "glg", "galician":
		return "gl"
	case "grn", "guarani", "gug":
		return "gn"
	case "guj", "gujarati":
		return "gu"
	case "glv", "manx":
		return "gv"
	case "hau", "hausa":
		return "ha"
	case "heb", "hebrew", "iw":
		return "he"
	case "hin", "hindi":
		return "hi"
	case "hmo", "hiri motu":
		return "ho"
	case "hrv", "croatian":
		return "hr"
	case "hat", "haitian creole", "haitian":
		return "ht"
	case "hun", "hungarian":
		return "hu"
	case "hye", "armenian", "arm":
		return "hy"
	case "her", "herero":
		return "hz"
	case "ina", "interlingua":
		return "ia"
	case "ind", "indonesian", "in":
		return "id"
	case "ile", "interlingue":
		return "ie"
	case "ibo", "igbo":
		return "ig"
	case "iii", "sichuan yi", "nuosu":
		return "ii"
	case "ipk", "inupiaq":
		return "ik"
	case "ido":
		return "io"
	case "isl", "icelandic", "ice":
		return "is"
	case "ita", "italian":
		return "it"
	case "iku", "inuktitut":
		return "iu"
	case "jpn", "japanese":
		return "ja"
	case "jav", "javanese", "jw":
		return "jv"
	case "kat", "georgian", "geo":
		return "ka"
	case "kon", "kongo":
		return "kg"
	case "kik", "kikuyu", "gikuyu":
		return "ki"
	case "kua", "kuanyama":
		return "kj"
	case "kaz", "kazakh":
		return "kk"
	case "kal", "kalaallisut":
		return "kl"
	case "khm", "khmer", "central khmer":
		return "km"
	case "kan", "kannada":
		return "kn"
	case "kor", "korean":
		return "ko"
	case "kau", "kanuri":
		return "kr"
	case "kas", "kashmiri":
		return "ks"
	case "kur", "kurdish", "kmr", "kurmanji":
		return "ku"
	case "kom", "komi":
		return "kv"
	case "cor", "cornish":
		return "kw"
	case "kir", "kyrgyz", "kirghiz":
		return "ky"
	case "lat", "latin":
		return "la"
	case "ltz", "luxembourgish", "letzeburgesch":
		return "lb"
	case "lug", "ganda":
		return "lg"
	case "lim", "limburgish":
		return "li"
	case "lin", "lingala":
		return "ln"
	case "lao":
		return "lo"
	case "lit", "lithuanian":
		return "lt"
	case "lub", "luba katanga":
		return "lu"
	case "lav", "latvian", "lvs":
		return "lv"
	case "mlg", "malagasy", "plt":
		return "mg"
	case "mah", "marshallese":
		return "mh"
	case "mri", "maori", "mao":
		return "mi"
	case "mkd", "macedonian", "mac":
		return "mk"
	case "mal", "malayalam":
		return "ml"
	case "mon", "mongolian", "khk":
		return "mn"
	case "mar", "marathi":
		return "mr"
	case "msa", "malay", "may", "zsm":
		return "ms"
	case "mlt", "maltese":
		return "mt"
	case "mya", "burmese", "bur", "myanmar":
		return "my"
	case "nau", "nauru":
		return "na"
	case "nde", "north ndebele":
		return "nd"
	case "nep", "nepali", "npi":
		return "ne"
	case "ndo", "ndonga":
		return "ng"
	case "nld", "dutch", "dut", "flemish":
		return "nl"
	case "nno", "norwegian nynorsk", "nynorsk":
		return "nn"
	case "nor", "norwegian", "nb", "nob", "bokmål", "bokmal", "norwegian bokmal":
		return "no"
	case "nbl", "south ndebele":
		return "nr"
	case "nav", "navajo":
		return "nv"
	case "nya", "nyanja", "chewa", "chichewa":
		return "ny"
	case "oci", "occitan":
		return "oc"
	case "oji", "ojibwa":
		return "oj"
	case "orm", "oromo", "gaz":
		return "om"
	case "ori", "odia", "ory", "oriya":
		return "or"
	case "oss", "ossetic":
		return "os"
	case "pan", "punjabi", "panjabi":
		return "pa"
	case "pli", "pali":
		return "pi"
	case "pol", "polish":
		return "pl"
	case "pus", "pashto", "pbt", "pushto":
		return "ps"
	case "por", "portuguese":
		return "pt"
	case "que", "quechua", "quy":
		return "qu"
	case "roh", "romansh", "rumantsch":
		return "rm"
	case "run", "rundi":
		return "rn"
	case "ron", "romanian", "rum", "mo", "mol", "moldovan":
		return "ro"
	case "rus", "russian":
		return "ru"
	case "kin", "kinyarwanda":
		return "rw"
	case "san", "sanskrit":
		return "sa"
	case "srd", "sardinian":
		return "sc"
	case "snd", "sindhi":
		return "sd"
	case "sme", "northern sami", "sami":
		return "se"
	case "sag", "sango":
		return "sg"
	case "hbs", "serbo croatian":
		return "sh"
	case "sin", "sinhala", "sinhalese":
		return "si"
	case "slk", "slovak", "slo":
		return "sk"
	case "slv", "slovenian", "slovene":
		return "sl"
	case "smo", "samoan":
		return "sm"
	case "sna", "shona":
		return "sn"
	case "som", "somali":
		return "so"
	case "sqi", "albanian", "alb", "als":
		return "sq"
	case "srp", "serbian":
		return "sr"
	case "ssw", "swati":
		return "ss"
	case "sot", "southern sotho", "sesotho":
		return "st"
	case "sun", "sundanese":
		return "su"
	case "swe", "swedish":
		return "sv"
	case "swa", "swahili", "swh", "kiswahili":
		return "sw"
	case "tam", "tamil":
		return "ta"
	case "tel", "telugu":
		return "te"
	case "tgk", "tajik":
		return "tg"
	case "tha", "thai":
		return "th"
	case "tir", "tigrinya":
		return "ti"
	case "tuk", "turkmen":
		return "tk"
	case "tgl", "filipino", "fil", "tagalog":
		return "tl"
	case "tsn", "tswana":
		return "tn"
	case "ton", "tongan":
		return "to"
	case "tur", "turkish":
		return "tr"
	case "tso", "tsonga":
		return "ts"
	case "tat", "tatar":
		return "tt"
	case "tah", "tahitian":
		return "ty"
	case "uig", "uyghur", "uighur":
		return "ug"
	case "ukr", "ukrainian":
		return "uk"
	case "urd", "urdu":
		return "ur"
	case "uzb", "uzbek", "uzn":
		return "uz"
	case "ven", "venda":
		return "ve"
	case "vie", "vietnamese":
		return "vi"
	case "vol", "volapük", "volapuk":
		return "vo"
	case "wln", "walloon":
		return "wa"
	case "wol", "wolof":
		return "wo"
	case "xho", "xhosa":
		return "xh"
	case "yid", "yiddish", "ji", "ydd":
		return "yi"
	case "yor", "yoruba":
		return "yo"
	case "zha", "zhuang":
		return "za"
	case "zho", "chinese", "chi", "cmn", "mandarin":
		return "zh"
	case "zul", "zulu":
		return "zu"
	}
	return name
}
