package prompts

import (
	"fmt"
	"strings"

	"amend/engine/chat"
)

// isTranscript reports whether a text begins as a transcript does.
func isTranscript(text string) bool { return strings.HasPrefix(text, chat.HumanMark) }

// transcript parses "\n\nHuman: …\n\nAssistant: …" into turns that alternate
// and begin with the user's; the last may be either's.
//
// A marker counts only at the start of a paragraph: an answer that begins
// "Human:" on the assistant's own line, as some do in hh-rlhf, is text. White
// space around a turn is dropped. A speaker whose marker comes twice in a row
// goes on speaking: the parts are joined by a blank line. An assistant's empty
// turn at the end only asks for an answer and is dropped; any other empty turn
// is an error, as leaving it out would put words of two turns into one. A turn
// that a speaker wrote for the other cannot be told from a real one.
func transcript(text string) ([]chat.Message, error) {
	if !isTranscript(text) {
		return nil, fmt.Errorf("not a transcript: it does not begin with %q", chat.HumanMark)
	}
	var turns []chat.Message
	for n := 1; text != ""; n++ {
		role, mark := chat.User, chat.HumanMark
		if !isTranscript(text) {
			role, mark = chat.Assistant, chat.AssistantMark
		}
		var said string
		said, text = cutTurn(text[len(mark):])
		said = strings.TrimSpace(said)
		last := len(turns) - 1
		switch {
		case said == "" && text == "" && role == chat.Assistant:
		case said == "":
			return nil, fmt.Errorf("turn %d (%s): empty", n, role)
		case last >= 0 && turns[last].Role == role:
			turns[last].Text += "\n\n" + said
		default:
			turns = append(turns, chat.Message{Role: role, Text: said})
		}
	}
	return turns, nil
}

// cutTurn splits text before the next marker.
func cutTurn(text string) (turn, rest string) {
	at := len(text)
	for _, mark := range []string{chat.HumanMark, chat.AssistantMark} {
		if i := strings.Index(text[:at], mark); i >= 0 {
			at = i
		}
	}
	return text[:at], text[at:]
}

// splitResponse takes a last assistant turn off a conversation. The response
// is nil when the user has the last word.
func splitResponse(msgs []chat.Message) ([]chat.Message, *string) {
	last := len(msgs) - 1
	if last < 0 || msgs[last].Role != chat.Assistant {
		return msgs, nil
	}
	return msgs[:last], &msgs[last].Text
}
