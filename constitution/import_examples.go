package constitution

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// chatTurns are the turns of a demonstration in a chat: prompt, response, critique request, critique, revision request and
// revision. Longer chats have earlier turns, which a demonstration has no place for.
const chatTurns = 6

// addChats reads llm-swarm's demonstrations: a list of chats, or nothing.
func (im *Imported) addChats(data json.RawMessage) error {
	var chats [][]struct{ Role, Content string }
	if len(data) > 0 {
		if err := json.Unmarshal(data, &chats); err != nil {
			return fmt.Errorf("its demonstrations must be lists of messages with role and content: %w", err)
		}
	}
	for i, chat := range chats {
		turns := make([]string, 0, chatTurns)
		for j, m := range chat {
			if want := []string{"user", "assistant"}[j%2]; m.Role != want {
				return fmt.Errorf("demonstration %d: message %d is of the role %q, and user and assistant take turns", i+1, j+1, m.Role)
			}
			turns = append(turns, m.Content)
		}
		if err := im.addTurns(turns); err != nil {
			return fmt.Errorf("demonstration %d: %w", i+1, err)
		}
	}
	return nil
}

// addTranscript reads one of the paper's few-shot prompts.
func (im *Imported) addTranscript(text string) error {
	if strings.HasSuffix(strings.TrimSpace(text), "Options:") {
		return errors.New("it is a judge's instruction, without a critique and a revision request: write it into judge_instruction")
	}
	rest := text
	var parts []string
	for _, mark := range []string{critiqueRequestMark, critiqueMark, revisionRequestMark, revisionMark} {
		before, after, ok := strings.Cut(rest, "\n\n"+mark)
		if !ok {
			return fmt.Errorf("it has no %s after a blank line: %w", mark, errShape())
		}
		parts, rest = append(parts, before), after
	}
	revision, _, _ := strings.Cut(rest, "\n\nHuman:") // where the next one begins
	conversation, answer, ok := cutLast(parts[0], "\n\nAssistant:")
	if !ok {
		return errors.New("there is no \"Assistant:\" before its critique request")
	}
	_, prompt, ok := cutLast("\n\n"+strings.TrimSpace(conversation), "\n\nHuman:")
	if !ok {
		return errors.New("there is no \"Human:\" before its response")
	}
	turns := []string{prompt, answer, parts[1], parts[2], parts[3], revision}
	if strings.Contains(conversation, "\n\nAssistant:") {
		turns = append([]string{"Human", "Assistant"}, turns...) // earlier turns
	}
	return im.addTurns(turns)
}

func cutLast(text, sep string) (before, after string, found bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(sep):], true
}

// addTurns takes up a demonstration. One whose prompt is a conversation is left out, and that is noted.
func (im *Imported) addTurns(turns []string) error {
	for i := range turns {
		if turns[i] = strings.TrimSpace(turns[i]); turns[i] == "" {
			return fmt.Errorf("message %d is empty", i+1)
		}
	}
	n := len(turns)
	switch {
	case n < chatTurns || n%2 != 0:
		return fmt.Errorf("it has %d messages, and takes %d: prompt, response, critique request, critique, revision request, revision", n, chatTurns)
	case n > chatTurns:
		im.leftOut = append(im.leftOut, fmt.Sprintf("Left out: a demonstration whose prompt is a conversation of several turns, the last of which is %q.", shorten(turns[n-chatTurns])))
		return nil
	}
	im.demos = append(im.demos, importedDemo{
		Demonstration{Prompt: turns[0], Response: turns[1], Critique: turns[3], Revision: turns[5]},
		requestPair{id: "rule", critique: turns[2], revision: turns[4]},
	})
	return nil
}

// shorten is the beginning of a text, on one line.
func shorten(text string) string {
	const most = 60
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(runes)
}
