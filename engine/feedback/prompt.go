package feedback

import (
	"slices"
	"strings"

	"amend/constitution"
	"amend/engine/chat"
)

// PromptOrder says what a judgement shows, and where its principle stands.
type PromptOrder string

// The layouts.
const (
	OptionsFirst   PromptOrder = "options-first"   // behind conversation and options: principles fork from one prefix
	PrincipleFirst PromptOrder = "principle-first" // before them, as in the paper
	// ByPrinciple asks in two ways. Under a principle with a verdict request it shows each response alone, and asks whether it keeps
	// to the principle: the one is better of which "yes" is the likelier answer. There is no place to prefer, and each response is
	// read once. Under other principles it asks as OptionsFirst does, without worked judgements, which draw a small judge to a place.
	ByPrinciple PromptOrder = "by-principle"
)

// PromptOrders lists the layouts.
func PromptOrders() []PromptOrder { return []PromptOrder{ByPrinciple, OptionsFirst, PrincipleFirst} }

// LayoutFor is the layout in which a judge is asked under a document, unless another one is asked for: ByPrinciple where a
// principle has a verdict request and no reasons are to come first, else OptionsFirst.
func LayoutFor(doc *constitution.Document, reasonings int) PromptOrder {
	if reasonings == 0 && slices.ContainsFunc(doc.Principles, func(p constitution.Principle) bool { return p.VerdictRequest != "" }) {
		return ByPrinciple
	}
	return OptionsFirst
}

// alone reports whether responses are shown one by one under a principle.
func (l PromptOrder) alone(p constitution.Principle) bool {
	return l == ByPrinciple && p.VerdictRequest != ""
}

// Texts of a judgement.
const (
	// ThinkFirst, behind a question, asks for reasons before the answer.
	ThinkFirst = " Think first."
	// AnswerStem stands between reasons and the answer, which follows it after a space.
	AnswerStem = " The answer is"
	answerA    = "(A)"
	answerB    = "(B)"
	answerYes  = "yes"
	answerNo   = "no"
)

// speakers are how roles are written inside a message.
var speakers = map[chat.Role]string{chat.System: "System: ", chat.User: "User: ", chat.Assistant: "Assistant: "}

// Options is a conversation and two responses to it as a judgement shows them.
func Options(conversation []chat.Message, a, b string) string {
	return told(conversation, "\n") + "\n\n" + answerA + " " + a + "\n\n" + answerB + " " + b
}

// single is a conversation and one response to it as a judgement shows them.
func single(conversation []chat.Message, response string) string {
	return told(append(slices.Clone(conversation), chat.Message{Role: chat.Assistant, Text: response}), "\n\n")
}

// told is a conversation inside a message.
func told(conversation []chat.Message, between string) string {
	turns := make([]string, len(conversation))
	for i, m := range conversation {
		turns[i] = speakers[m.Role] + m.Text
	}
	return strings.Join(turns, between)
}

// Join puts Options and a question together.
func (l PromptOrder) Join(options, question string) string {
	if l == PrincipleFirst {
		return question + "\n\n" + options
	}
	return options + "\n\n" + question
}

// Shots are the worked judgements that a constitution shows, as turns of one conversation: what stands before every judgement, or,
// in layout ByPrinciple, before those of single responses.
// With reasons, those that have some give them before the answer.
func Shots(doc *constitution.Document, l PromptOrder, reasons bool) []chat.Message {
	if l == ByPrinciple {
		return singleShots(doc)
	}
	var msgs []chat.Message
	for _, j := range doc.Shown() {
		question, answer := j.JudgeInstruction, answerA
		if j.Better == constitution.SideB {
			answer = answerB
		}
		if reasons && j.Reasons != "" {
			question, answer = question+ThinkFirst, j.Reasons+AnswerStem+" "+answer+"."
		}
		options := Options([]chat.Message{{Role: chat.User, Text: j.Prompt}}, j.A, j.B)
		msgs = append(msgs, chat.Message{Role: chat.User, Text: l.Join(options, question)}, chat.Message{Role: chat.Assistant, Text: answer})
	}
	return msgs
}

// singleShots are both responses of each worked judgement that has a verdict request, each by itself. Every other judgement shows its second response
// first: the better ones are not always in the same place.
func singleShots(doc *constitution.Document) []chat.Message {
	var msgs []chat.Message
	for i, j := range doc.Shown() {
		if j.VerdictRequest == "" {
			continue
		}
		prompt := []chat.Message{{Role: chat.User, Text: j.Prompt}}
		sides := []struct {
			response string
			better   bool
		}{{j.A, j.Better == constitution.SideA}, {j.B, j.Better == constitution.SideB}}
		if i%2 == 1 {
			slices.Reverse(sides)
		}
		for _, side := range sides {
			answer := answerNo
			if side.better {
				answer = answerYes
			}
			msgs = append(msgs, chat.Message{Role: chat.User, Text: single(prompt, side.response) + "\n\n" + j.VerdictRequest},
				chat.Message{Role: chat.Assistant, Text: answer})
		}
	}
	return msgs
}
