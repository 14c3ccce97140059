package check

import (
	"regexp"
	"strings"

	"amend/engine/language"
)

// The assistant speaks of itself in these words, and of nothing else in the sentences that have them.
const machine = `(?:ai|humanai|artificial intelligence|language model|chat ?bot|bot|robot|virtual assistant|digital assistant|assistant|` +
	`computer program|machine learning model|machine|program)`

var (
	asMachine   = regexp.MustCompile(`\bas (?:an?|your) (?:\w+ ){0,2}?` + machine + `\b`)
	namesItself = regexp.MustCompile(`\b(?:i am|im) (?:(?:just|only|simply|merely|not|also|actually) )*(?:an?|your) ?(?:\w+ ){0,2}?` + machine + `\b|` +
		`\b(?:i am|im) not (?:an? )?(?:real |actual )?(?:human|person)\b|` +
		`\bi (?:am|was) (?:created|developed|trained|designed|made) by\b|\bmy (?:programming|training data)\b`)
	offersItself = regexp.MustCompile(`\b(?:i am|im|i was) (?:programmed|designed|created|trained|built|made|here) to\b|\b(?:(?:here|designed|programmed|created|trained|built|meant|able|ready|happy|glad) to (?:help|assist|answer|provide|support|serve|offer)|` +
		`feel free to|(?:how|what) (?:can|may|could) i (?:help|assist|do for)|let me know if|if you have (?:any|other|more|further)|dont hesitate|` +
		`my (?:goal|aim|job|purpose|role|task) is|at your service|i (?:do not|dont|cant|cannot) (?:have|feel|possess|experience) (?:any )?(?:personal |human |real )*(?:feelings?|emotions?|opinions?|beliefs?|experiences?|memories))\b`)
	// asksAssistant is how a prompt asks who or what it talks to.
	asksAssistant = regexp.MustCompile(`\b(?:(?:are|were|arent|do|dont|did|have|havent|would|whats|is|was|how|who|what) (?:you|u|your|ur)|youre|you are|you have|your|yourself|` +
		`ai|ais|artificial|bots?|robots?|chatbots?|assistants?|computers?|machines?|programmed|siri|alexa|gpt|chatgpt|introduce|pretend|role ?play|act as)\b`)
)

// selfShare is the share of a text's words in sentences about the assistant that makes it the text's subject.
const selfShare = 0.6

// isAboutAssistant reports whether a text names the assistant as what it is, and says little beyond that and what it offers.
// A text that declines does so in those words, too, and is another matter.
func (c *Checker) isAboutAssistant(t Input) bool {
	if asksAssistant.MatchString(fold(t.Prompt)) {
		return false
	}
	named, about, all := false, 0, 0
	for _, s := range sentences(withoutExamples(t.Text)) {
		n := len(language.Words(s))
		all += n
		folded := fold(s)
		names := namesItself.MatchString(folded)
		named = named || names || asMachine.MatchString(folded)
		if names || offersItself.MatchString(folded) {
			about += n
		}
	}
	return named && float64(about) >= selfShare*float64(all) && !c.refusals.Refuses(t.Text)
}

var sentenceEnd = regexp.MustCompile(`[.!?]+(?:\s|$)|\n+|[。！？]`)

// sentences splits a text after full stops and at line ends.
func sentences(text string) []string {
	var out []string
	for _, s := range sentenceEnd.Split(text, -1) {
		if strings.TrimSpace(s) != "" {
			out = append(out, s)
		}
	}
	return out
}
