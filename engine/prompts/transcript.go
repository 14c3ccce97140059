package prompts

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"amend/engine/chat"
)

// marks are what turns of a transcript begin with: what stands before both, and a name.
type marks struct{ before, user, assistant string }

// paragraphs are the marks of hh-rlhf, lines the same without blank lines.
func paragraphs() marks { return marks{"\n\n", "Human:", "Assistant:"} }
func lines() marks      { return marks{"\n", "Human:", "Assistant:"} }

// looser are the marks of other transcripts. The first that a text has count.
func looser() (all []marks) {
	for _, names := range [][2]string{{"Human:", "Assistant:"}, {"User:", "Assistant:"}, {"USER:", "ASSISTANT:"}} {
		all = append(all, marks{"\n\n", names[0], names[1]}, marks{"\n", names[0], names[1]}, marks{"### ", names[0], names[1]})
	}
	return all
}

// marksOf tells how a transcript is written, and returns it from its first mark on. A text that only begins as one may be a
// prompt: without the marks of hh-rlhf a transcript must have an assistant's turn.
func marksOf(text string) (m marks, body string, ok bool) {
	if strings.HasPrefix(text, chat.HumanMark) {
		if !strings.Contains(text, chat.AssistantMark) && strings.Contains(text, lines().before+lines().assistant) {
			return lines(), text[1:], true
		}
		return paragraphs(), text, true
	}
	body = strings.TrimLeft(text, "\r\n")
	for _, m := range looser() {
		first := m.before + m.user
		if strings.HasPrefix(body, strings.TrimLeft(first, "\n")) && strings.Contains(body, m.before+m.assistant) {
			return m, first + strings.TrimPrefix(body, strings.TrimLeft(first, "\n")), true
		}
	}
	return m, text, false
}

// isLoose reports whether a text is a transcript that is not written as those of hh-rlhf are.
func isLoose(v json.RawMessage) bool {
	text, err := parseString(v)
	return err == nil && isTranscript(text) && !strings.HasPrefix(text, chat.HumanMark)
}

// isTranscript reports whether a text begins as a transcript does.
func isTranscript(text string) bool { _, _, ok := marksOf(text); return ok }

// transcript parses "\n\nHuman: …\n\nAssistant: …" into turns that alternate and begin with the user's; the last may be
// either's. The blank lines may be missing, in front or everywhere, and other marks are known too (looser).
//
// A marker counts only at the start of a paragraph: an answer that begins "Human:" on the assistant's own line, as some do in
// hh-rlhf, is text. White space around a turn is dropped. A speaker whose marker comes twice in a row goes on speaking: the
// parts are joined by a blank line. An assistant's empty turn at the end only asks for an answer and is dropped; any other
// empty turn is an error, as leaving it out would put words of two turns into one. So is a turn with a line that begins as the
// other speaker's do, or as those of a system or of a speaker that is not known. A turn that a speaker wrote for the other
// cannot be told from a real one.
func transcript(text string) ([]chat.Message, error) {
	marks, text, ok := marksOf(text)
	if !ok {
		return nil, fmt.Errorf("not a transcript: it does not begin with %q", chat.HumanMark)
	}
	var roles []chat.Role
	var said [][]string // by each of them, in parts
	for n := 1; text != ""; n++ {
		role, mark := chat.User, marks.before+marks.user
		if !strings.HasPrefix(text, mark) {
			role, mark = chat.Assistant, marks.before+marks.assistant
		}
		var part string
		part, text = marks.cut(text[len(mark):])
		part = strings.TrimSpace(part)
		last, why := len(roles)-1, marks.holdsOther(part, role)
		switch {
		case part == "" && text == "" && role == chat.Assistant:
		case part == "":
			return nil, fmt.Errorf("turn %d (%s): empty", n, role)
		case why != "":
			return nil, fmt.Errorf("turn %d (%s): %s", n, role, why)
		case last >= 0 && roles[last] == role:
			said[last] = append(said[last], part)
		default:
			roles, said = append(roles, role), append(said, []string{part})
		}
	}
	if len(roles) == 0 || roles[0] != chat.User {
		return nil, errors.New("turn 1 (user): empty")
	}
	if name := thirdSpeaker(said); len(roles) == 1 && name != "" {
		return nil, fmt.Errorf("a speaker in it is not known: %s between turns of %s; write the turns as a list of {\"role\", \"content\"}", name, marks.user)
	}
	turns := make([]chat.Message, len(roles))
	for i, role := range roles {
		turns[i] = chat.Message{Role: role, Text: strings.Join(said[i], "\n\n")}
	}
	return turns, nil
}

// holdsOther says why a turn's text may be those of two speakers; "" where it is not.
func (m marks) holdsOther(text string, role chat.Role) string {
	other := m.assistant
	if role == chat.Assistant {
		other = m.user
	}
	switch {
	case strings.Contains(text, "\n"+other) && !strings.HasPrefix(text, other): // else the speaker writes such lines, as in hh-rlhf
		return fmt.Sprintf("a line in it begins with %s, without what the other turns have before it: %q", other, m.before)
	case strings.Contains(text, m.before+"System:"), strings.Contains(text, m.before+"SYSTEM:"):
		return "a system message in it; write the turns as a list of {\"role\", \"content\"}"
	}
	return ""
}

// thirdSpeaker finds a speaker without known marks in what one speaker said in several parts, such as "AI:".
func thirdSpeaker(said [][]string) string {
	if len(said) != 1 || len(said[0]) < 2 {
		return ""
	}
	word := regexp.MustCompile(`(?m)^[A-Z][A-Za-z0-9-]{0,19}:`)
	for _, part := range said[0][:len(said[0])-1] {
		_, after, _ := strings.Cut(part, "\n")
		if name := word.FindString(after); name != "" {
			return name
		}
	}
	return ""
}

// begins reports whether a text begins with the mark of a role.
func (m marks) begins(text string, role chat.Role) bool {
	name := m.user
	if role == chat.Assistant {
		name = m.assistant
	}
	return strings.HasPrefix(text, m.before+name)
}

// cut splits text before the next mark.
func (m marks) cut(text string) (turn, rest string) {
	for at := 0; ; at++ {
		i := strings.Index(text[at:], m.before)
		if i < 0 {
			return text, ""
		}
		at += i
		if m.begins(text[at:], chat.User) || m.begins(text[at:], chat.Assistant) {
			return text[:at], text[at:]
		}
	}
}

// splitResponse takes a last assistant turn off a conversation. The response is nil when the user has the last word.
func splitResponse(msgs []chat.Message) ([]chat.Message, *string) {
	last := len(msgs) - 1
	if last < 0 || msgs[last].Role != chat.Assistant {
		return msgs, nil
	}
	return msgs[:last], &msgs[last].Text
}
