package prompts

import (
	"encoding/json"
	"fmt"

	"amend/engine/chat"
)

// withHistory puts the turns of a history column before a prompt that is one turn (ms-swift).
func (f *fields) withHistory(key string, msgs []chat.Message) ([]chat.Message, error) {
	switch key {
	case "prompt", "rl_prompt", "question", "query", "input":
	default:
		return msgs, nil
	}
	text, err := parseString(f.values["history"])
	isList := kind(f.values["history"]) == "a list" || err == nil && beginsAsList(text)
	if !isList || !f.said("history") || f.given["prompt"] == "history" {
		return msgs, nil
	}
	before, err := f.history()
	switch {
	case err != nil:
		return nil, err
	case len(before) > 0 && (len(msgs) != 1 || msgs[0].Role != chat.User):
		return nil, fmt.Errorf("history: %s has several turns itself; write all turns into messages", f.column(key))
	}
	all := append(before, msgs...)
	return all, named("history", checkTurns(all))
}

// refuseBeside refuses a question of which a part stands in another column: what it is about, or its choices.
func (f *fields) refuseBeside(key string) error {
	if key != "question" && key != "query" {
		return nil
	}
	var part string
	for _, name := range []string{"context", "passage", "choices", "options"} {
		if f.said(name) {
			part = name
			break
		}
	}
	if f.said("A") && f.said("B") && f.said("C") && f.said("D") {
		part = "A to D"
	}
	if part == "" {
		return nil
	}
	return fmt.Errorf("%s: %s stands beside it and would be left out; write both into one column, or leave it out with --map prompt=%s", key, part, key)
}

// beside reports whether a record has its conversation in another column than chosen.
func (f *fields) beside() bool {
	if _, mapped := f.given["prompt"]; mapped {
		return f.has("prompt")
	}
	for _, s := range shapes() {
		if s.keys[0] != "chosen" && f.is(s) {
			return true
		}
	}
	return false
}

// splitLoose reads an answer beside a conversation that is a transcript without the blank lines of hh-rlhf. It is the whole
// conversation only where it begins with that one; else it is an answer, which is a dialogue itself.
func splitLoose(v json.RawMessage, asked []chat.Message) (response string, whole bool) {
	text, err := parseString(v)
	if err != nil {
		return "", false
	}
	msgs, err := transcript(text)
	if err != nil {
		return "", false
	}
	msgs, last := splitResponse(msgs)
	if len(asked) > 0 && asked[0].Role == chat.System {
		asked = asked[1:]
	}
	if last == nil || hashOf(msgs) != hashOf(asked) {
		return "", false
	}
	return *last, true
}
