package prompts

import (
	"fmt"

	"amend/engine/chat"
)

// readAlpaca reads a prompt of Alpaca, Dolly and LLaMA-Factory: instruction, and behind it input or context after a blank line.
// history has turns before it, in pairs of texts.
func readAlpaca(f *fields) ([]chat.Message, error) {
	msgs, err := f.history()
	if err != nil {
		return nil, err
	}
	v, _ := f.get("instruction")
	if kind(v) == "a list" {
		return promptOf(v, "instruction")
	}
	text, err := parseText(v)
	if err != nil {
		return nil, named("instruction", err)
	}
	for _, key := range []string{"input", "context"} {
		more, err := f.text(key)
		if err != nil {
			return nil, err
		}
		if more != "" {
			text += "\n\n" + more
			break
		}
	}
	if isTranscript(text) && len(msgs) == 0 {
		turns, err := transcript(text)
		return turns, named("instruction", err)
	}
	return append(msgs, chat.Message{Role: chat.User, Text: text}), nil
}

// history reads the turns before an instruction: a list of pairs, each a question and its answer.
func (f *fields) history() (msgs []chat.Message, err error) {
	if !f.said("history") {
		return nil, nil
	}
	v, _ := f.get("history")
	list, err := items(v)
	if err != nil {
		return nil, named("history", err)
	}
	for i, item := range list {
		turns, err := items(item)
		if err == nil && len(turns) != 2 {
			err = fmt.Errorf("%d texts, want a question and its answer", len(turns))
		}
		if err != nil {
			return nil, fmt.Errorf("history, item %d: %w", i+1, err)
		}
		for j, role := range []chat.Role{chat.User, chat.Assistant} {
			text, err := parseText(turns[j])
			if err != nil {
				return nil, fmt.Errorf("history, item %d: %w", i+1, err)
			}
			msgs = append(msgs, chat.Message{Role: role, Text: text})
		}
	}
	return msgs, nil
}
