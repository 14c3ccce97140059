package prompts

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"amend/engine/chat"
)

// marks are what turns of a transcript begin with.
type marks struct{ user, assistant string }

// paragraphs are the marks of hh-rlhf, lines the same without blank lines.
func paragraphs() marks { return marks{chat.HumanMark, chat.AssistantMark} }
func lines() marks      { return marks{"\nHuman:", "\nAssistant:"} }

// looser are the marks of other transcripts, without what stands before them.
func looser() []marks {
	return []marks{{"Human:", "Assistant:"}, {"User:", "Assistant:"}, {"USER:", "ASSISTANT:"}, {"### Human:", "### Assistant:"}, {"### User:", "### Assistant:"}}
}

// marksOf tells how a transcript is written, and returns it from its first mark on. A text that only begins as one may be a
// prompt: without the marks of hh-rlhf a transcript must have an assistant's turn.
func marksOf(text string) (m marks, body string, ok bool) {
	if strings.HasPrefix(text, chat.HumanMark) {
		if !strings.Contains(text, chat.AssistantMark) && strings.Contains(text, lines().assistant) {
			return lines(), text[1:], true
		}
		return paragraphs(), text, true
	}
	body = strings.TrimLeft(text, "\r\n")
	for _, m := range looser() {
		if !strings.HasPrefix(body, m.user) {
			continue
		}
		for _, before := range []string{"\n\n", "\n", ""} {
			if before == "" && !strings.HasPrefix(m.user, "#") {
				break
			}
			if strings.Contains(body, before+m.assistant) {
				return marks{before + m.user, before + m.assistant}, before + body, true
			}
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
// empty turn is an error, as leaving it out would put words of two turns into one. So is a user's turn with a line that begins
// as the assistant's do. A turn that a speaker wrote for the other cannot be told from a real one.
func transcript(text string) ([]chat.Message, error) {
	marks, text, ok := marksOf(text)
	if !ok {
		return nil, fmt.Errorf("not a transcript: it does not begin with %q", chat.HumanMark)
	}
	var turns []chat.Message
	for n := 1; text != ""; n++ {
		role, mark := chat.User, marks.user
		if !strings.HasPrefix(text, mark) {
			role, mark = chat.Assistant, marks.assistant
		}
		var said string
		said, text = marks.cut(text[len(mark):])
		said = strings.TrimSpace(said)
		last := len(turns) - 1
		switch {
		case said == "" && text == "" && role == chat.Assistant:
		case said == "":
			return nil, fmt.Errorf("turn %d (%s): empty", n, role)
		case role == chat.User && strings.Contains(said, lines().assistant):
			return nil, fmt.Errorf("turn %d (%s): a line in it begins with Assistant:, without the blank line that the other turns have before them", n, role)
		case last >= 0 && turns[last].Role == role:
			turns[last].Text += "\n\n" + said
		default:
			turns = append(turns, chat.Message{Role: role, Text: said})
		}
	}
	if len(turns) == 0 || turns[0].Role != chat.User {
		return nil, errors.New("turn 1 (user): empty")
	}
	return turns, nil
}

// cut splits text before the next mark.
func (m marks) cut(text string) (turn, rest string) {
	at := len(text)
	for _, mark := range []string{m.user, m.assistant} {
		if i := strings.Index(text[:at], mark); i >= 0 {
			at = i
		}
	}
	return text[:at], text[at:]
}

// splitResponse takes a last assistant turn off a conversation. The response is nil when the user has the last word.
func splitResponse(msgs []chat.Message) ([]chat.Message, *string) {
	last := len(msgs) - 1
	if last < 0 || msgs[last].Role != chat.Assistant {
		return msgs, nil
	}
	return msgs[:last], &msgs[last].Text
}
