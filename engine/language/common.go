package language

import "strings"

// common has the languages in which a word is among the commonest.
var common = byWord(map[string]string{
	"en": "the of and to a in is i you that it for on are with as not be this have or your cannot if can sorry but we they what do how no will by from an at",
	"de": "der die das und ist nicht ich zu den mit sie ein eine auf für von es dem sich kann wie wir aber auch leider bitte",
	"fr": "le la les de des et est je ne pas que un une vous pour dans ce en qui sur mais avec il au du désolé peux",
	"es": "el la los de que no en un una por con para lo es se las del al como pero puedo su siento más",
	"it": "il la di che non un una per sono con del mi dei le lo gli ma questo posso della si come",
	"pt": "os de que não um uma para com em do da por se mas posso você isso como desculpe no",
	"nl": "de het een en van ik niet dat is op te met voor zijn je maar aan er dit kan om ook hoe",
	"sv": "och att det är jag inte en som på för med kan den av till har men om du",
	"da": "og at det er jeg ikke en som på for med kan den af til har men om du",
	"pl": "nie na się do to że jest jak ale mogę tym co po za przepraszam",
	"cs": "se na je že to do ale jak nemohu není pro",
	"ro": "și nu de la în să cu pe este un că pentru din pot dar care",
	"hu": "az és nem hogy egy is van ez de meg kell csak ha sajnálom",
	"fi": "ja ei on että en se hän mutta tämä voi kuin niin olen anteeksi",
	"tr": "ve bir bu da de için ne ile çok değil ama ben olarak üzgünüm yardımcı gibi",
	"id": "yang dan di ini itu tidak untuk dengan saya dari ke pada adalah maaf bisa anda",
	"vi": "và là của không tôi có cho được một trong các này với người bạn thể",
	"sw": "na ya wa ni kwa la za katika si hii kuwa yako siwezi samahani",
})

// byWord turns the words of each language into the languages of each word.
func byWord(languages map[string]string) map[string][]string {
	out := map[string][]string{}
	for language, words := range languages {
		seen := map[string]bool{}
		for w := range strings.FieldsSeq(words) {
			if !seen[w] {
				seen[w] = true
				out[w] = append(out[w], language)
			}
		}
	}
	return out
}
