package feedback

import (
	"strings"

	"amend/constitution"
	"amend/engine/chat"
)

// PromptOrder says where the principle of a judgement stands.
type PromptOrder string

// The layouts.
const (
	OptionsFirst   PromptOrder = "options-first"   // behind conversation and options: principles fork from one prefix
	PrincipleFirst PromptOrder = "principle-first" // before them, as in the paper
)

// PromptOrders lists the layouts, the default first.
func PromptOrders() []PromptOrder { return []PromptOrder{OptionsFirst, PrincipleFirst} }

// Texts of a judgement.
const (
	// ThinkFirst, behind a question, asks for reasons before the answer.
	ThinkFirst = " Think first."
	// AnswerStem stands between reasons and the answer, which follows it after a space.
	AnswerStem = " The answer is"
	answerA    = "(A)"
	answerB    = "(B)"
)

// speakers are how roles are written inside a message.
var speakers = map[chat.Role]string{chat.System: "System: ", chat.User: "User: ", chat.Assistant: "Assistant: "}

// Options is a conversation and two responses to it as a judgement shows them.
func Options(conversation []chat.Message, a, b string) string {
	var s strings.Builder
	for i, m := range conversation {
		if i > 0 {
			s.WriteString("\n")
		}
		s.WriteString(speakers[m.Role] + m.Text)
	}
	s.WriteString("\n\n" + answerA + " " + a + "\n\n" + answerB + " " + b)
	return s.String()
}

// Join puts Options and a question together.
func (l PromptOrder) Join(options, question string) string {
	if l == PrincipleFirst {
		return question + "\n\n" + options
	}
	return options + "\n\n" + question
}

// Shots are the worked judgements that a constitution shows, as turns of one conversation: what stands before every judgement.
// With reasons, those that have some give them before the answer.
func Shots(doc *constitution.Document, l PromptOrder, reasons bool) []chat.Message {
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
