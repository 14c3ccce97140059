package refusal

import (
	"regexp"
	"strings"
	"unicode"
)

// maxSentence is how many words a sentence may have: what is longer is a list or code, and is cut.
const maxSentence = 40

// wordOrEnd is a word, with apostrophes inside it, or what ends or divides a sentence.
var wordOrEnd = regexp.MustCompile(`[\p{L}\p{M}\p{Nd}]+(?:['’‘´` + "`" + `][\p{L}\p{M}\p{Nd}]+)*|[.!?:\n]|[,;]`)

// sentences splits a text into sentences of lower-case words. Forms that mean the same are one, "can't" and "cannot", so that what
// is learnt of one writer holds for another. A comma is a word, and so is a number, "0".
func sentences(text string) [][]string {
	var out [][]string
	var sentence []string
	end := func() {
		if len(sentence) > 0 {
			out = append(out, plain(sentence))
			sentence = nil
		}
	}
	for _, w := range wordOrEnd.FindAllString(strings.ToLower(text), -1) {
		switch {
		case strings.Contains(".!?:\n", w):
			end()
		case strings.Contains(",;", w):
			sentence = append(sentence, ",")
		default:
			sentence = append(sentence, expand(w)...)
		}
		if len(sentence) >= maxSentence {
			end()
		}
	}
	end()
	return out
}

// contracted are words that are short for several, with the apostrophe or as they are often typed.
func contracted(word string) string {
	switch word {
	case "can't", "cant":
		return "cannot"
	case "won't", "wont":
		return "will not"
	case "dont":
		return "do not"
	case "im":
		return "i am"
	case "let's":
		return "let us"
	case "it's", "that's", "there's", "here's", "what's":
		return strings.TrimSuffix(word, "'s") + " is"
	}
	for _, e := range [][2]string{{"n't", " not"}, {"'m", " am"}, {"'re", " are"}, {"'ve", " have"}, {"'ll", " will"}, {"'d", " would"}} {
		if stem, ok := strings.CutSuffix(word, e[0]); ok {
			return stem + e[1]
		}
	}
	return strings.ReplaceAll(word, "'", "")
}

var apostrophes = strings.NewReplacer("’", "'", "‘", "'", "`", "'", "´", "'")

// expand makes full words of a contraction, and "0" of what has digits.
func expand(word string) []string {
	if strings.ContainsFunc(word, unicode.IsDigit) {
		return []string{"0"}
	}
	return strings.Fields(contracted(apostrophes.Replace(word)))
}

// same are phrases that decline or apologise in the same way. The spaces are part of them.
var same = strings.NewReplacer(
	" can not ", " cannot ", " could not ", " cannot ", " will not ", " cannot ", " would not ", " cannot ", " not able to ", " cannot ",
	" am unable to ", " cannot ", " am not able to ", " cannot ", " unable to ", " cannot ", " am not going to ", " cannot ",
	" must decline to ", " cannot ", " must refuse to ", " cannot ", " decline to ", " cannot ", " refuse to ", " cannot ",
	" must decline ", " cannot ", " have to decline ", " cannot ", " must respectfully decline ", " cannot ", " must respectfully decline to ", " cannot ",
	" would rather not ", " cannot ", " would prefer not to ", " cannot ",
	" i am sorry ", " sorry ", " i am very sorry ", " sorry ", " i am really sorry ", " sorry ", " i am so sorry ", " sorry ",
	" i apologize ", " sorry ", " i apologise ", " sorry ", " my apologies ", " sorry ", " apologies ", " sorry ",
	" i am afraid ", " sorry ", " i regret ", " sorry ",
)

// plain replaces phrases by the word that stands for all that mean the same.
func plain(sentence []string) []string {
	text := " " + strings.Join(sentence, " ") + " "
	return strings.Fields(same.Replace(same.Replace(text))) // twice: neighbours share a space
}
