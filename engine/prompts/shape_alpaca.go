package prompts

import (
	"encoding/json"
	"errors"
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
		if len(msgs) > 0 {
			return nil, errors.New("history: instruction has turns itself; write all turns into messages")
		}
		return promptOf(v, "instruction")
	}
	if err := f.refusePrompt(v, "instruction"); err != nil {
		return nil, err
	}
	text, err := parseText(v)
	if err != nil {
		return nil, named("instruction", err)
	}
	more, err := f.material()
	if err != nil {
		return nil, err
	}
	if more != "" {
		text += "\n\n" + more
	}
	if isTranscript(text) && len(msgs) == 0 {
		turns, err := transcript(text)
		return turns, named("instruction", err)
	}
	msgs = append(msgs, chat.Message{Role: chat.User, Text: text})
	return msgs, named("history", checkTurns(msgs))
}

// material is what an instruction is about: input or context, "" where it has none. Sets of Alpaca's kind write words for none.
func (f *fields) material() (string, error) {
	from, found := "", ""
	for _, key := range []string{"input", "context"} {
		if v, ok := f.get(key); ok {
			if err := f.refuseWritten(v, key); err != nil {
				return "", err
			}
		}
		more, err := f.text(key)
		switch {
		case err != nil:
			return "", err
		case more == "", more == "<noinput>", more == "nan":
		case found != "":
			return "", fmt.Errorf("%s and %s: both stand beside instruction; write one, or leave both out with --map prompt=instruction", from, key)
		default:
			from, found = key, more
		}
	}
	return found, nil
}

// history reads the turns before a prompt: a list of pairs, each a question and its answer, or of turns.
func (f *fields) history() (msgs []chat.Message, err error) {
	if !f.said("history") {
		return nil, nil
	}
	v, _ := f.get("history")
	if text, err := parseString(v); err == nil && beginsAsList(text) { // in a table
		v = json.RawMessage(text)
		if !json.Valid(v) {
			return nil, errors.New("history: a text that begins as a list and is no JSON; in Python write it with json.dumps")
		}
	}
	list, err := items(v)
	if err != nil {
		return nil, named("history", err)
	}
	for i, item := range list {
		if kind(item) == "an object" {
			turns, err := parseTurns(item)
			if err != nil {
				return nil, fmt.Errorf("history, item %d: %w", i+1, err)
			}
			msgs = append(msgs, turns...)
			continue
		}
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
