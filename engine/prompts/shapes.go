package prompts

import (
	"encoding/json"
	"fmt"
	"slices"

	"amend/engine/chat"
)

// A shape is a way in which data sets write a conversation down.
type shape struct {
	// keys are columns that a record of the shape has, all of them.
	keys []string
	// only, unless nil, says whether a record with the keys is of the shape.
	only func(f *fields) bool
	// read reads the conversation. It may end with the assistant's turn, which is then the response to start from.
	read func(f *fields) ([]chat.Message, error)
}

// shapes are all that are known. The first that a record has is the one that is read. docs/inputs.md names them.
func shapes() []shape {
	return []shape{
		{keys: []string{"messages"}, read: listIn("messages")},
		{keys: []string{"prompt"}, read: promptIn("prompt")},
		{keys: []string{"chosen"}, only: isWholeChosen, read: readChosen},
		{keys: []string{"rl_prompt"}, read: promptIn("rl_prompt")},
		{keys: []string{"body"}, only: isObject("body"), read: readRequest("body")},
		{keys: []string{"params"}, only: isObject("params"), read: readRequest("params")},
		{keys: []string{"conversations"}, only: isTexts("conversations"), read: readAlternating("conversations")}, // LIMA
		{keys: []string{"conversations"}, read: listIn("conversations")},
		{keys: []string{"conversation"}, read: listIn("conversation")},
		{keys: []string{"chat"}, read: listIn("chat")},
		{keys: []string{"data"}, only: isTexts("data"), read: readUltraChat},
		{keys: []string{"turns"}, only: isTexts("turns"), read: readOneTurn},
		{keys: []string{"instruction"}, read: readAlpaca},
		{keys: []string{"question"}, read: promptIn("question")},
		{keys: []string{"query"}, read: promptIn("query")},
		{keys: []string{"input"}, only: isObject("input"), read: readRequest("input")},
		{keys: []string{"input"}, read: promptIn("input")},
		{keys: []string{"transcript"}, read: readTranscript("transcript")},
		{keys: []string{"text"}, only: isTranscriptIn("text"), read: readTranscript("text")},
		{keys: []string{"history", "human_ref_A"}, read: promptIn("history")},
		{keys: []string{"goal", "target"}, read: promptIn("goal")},
		{keys: []string{"chosen"}, read: readChosen},
	}
}

// isColumn reports whether a column may hold a row's text. Names that have other meanings too are not among them.
func isColumn(name string) bool {
	switch name {
	case "data", "body", "params", "turns", "text", "history":
		return false
	case "system", "system_prompt", "response", "rejected", "text_correct":
		return true
	}
	return isPrompt(name)
}

// isPrompt reports whether a column is one of a shape's.
func isPrompt(name string) bool {
	return slices.ContainsFunc(shapes(), func(s shape) bool { return slices.Contains(s.keys, name) })
}

// conversation reads the conversation of a record, and returns the shape's first key.
func (f *fields) conversation() (msgs []chat.Message, key string, err error) {
	if _, mapped := f.given["prompt"]; mapped {
		if !f.has("prompt") {
			return nil, "", f.missing("prompt")
		}
		msgs, err := promptIn("prompt")(f)
		if err == nil {
			msgs, err = f.withHistory("prompt", msgs)
		}
		return msgs, "prompt", err
	}
	for _, s := range shapes() {
		if f.is(s) {
			msgs, err := f.shaped(s)
			return msgs, s.keys[0], err
		}
	}
	return nil, "", f.shapeless()
}

// shaped reads the conversation of a record of a shape, with what stands in other columns.
func (f *fields) shaped(s shape) ([]chat.Message, error) {
	key := s.keys[0]
	if err := f.refuseBeside(key); err != nil {
		return nil, err
	}
	msgs, err := s.read(f)
	if err != nil || slices.Contains(s.keys, "history") {
		return msgs, err
	}
	return f.withHistory(key, msgs)
}

// is reports whether a record is of a shape. An empty list is no conversation: Parquet has them for null.
func (f *fields) is(s shape) bool {
	for _, key := range s.keys {
		if v, ok := f.values[key]; !ok || string(v) == "[]" {
			return false
		}
	}
	return s.only == nil || s.only(f)
}

func isObject(key string) func(*fields) bool {
	return func(f *fields) bool { return kind(f.values[key]) == "an object" }
}

func isTexts(key string) func(*fields) bool {
	return func(f *fields) bool { return isListOfTexts(f.values[key]) }
}

func isTranscriptIn(key string) func(*fields) bool {
	return func(f *fields) bool {
		text, err := parseString(f.values[key])
		return err == nil && isTranscript(text)
	}
}

// isWholeChosen reports whether chosen is a conversation and no response alone.
func isWholeChosen(f *fields) bool {
	v := f.values["chosen"]
	if kind(v) == "a list" {
		list, err := items(v)
		return err == nil && len(list) > 1
	}
	if f.beside() && isLoose(v) {
		return false
	}
	return isTranscriptIn("chosen")(f)
}

// listIn reads a list of turns, or a transcript.
func listIn(key string) func(*fields) ([]chat.Message, error) {
	return func(f *fields) ([]chat.Message, error) {
		v, _ := f.get(key)
		if text, err := parseString(v); err == nil && !beginsAsList(text) {
			if isTranscript(text) {
				return readTranscript(key)(f)
			}
			return nil, fmt.Errorf("%s: a text, want a list; if it is the prompt, name it with --map prompt=%s", key, key)
		}
		return turnsOf(v, key)
	}
}

// turnsOf reads a conversation that is a list. Its errors name the key.
func turnsOf(v json.RawMessage, key string) ([]chat.Message, error) {
	msgs, err := parseMessages(v)
	if err == nil {
		err = checkTurns(msgs)
	}
	return msgs, named(key, err)
}

// promptIn reads a prompt: a text, a transcript or a list of turns.
func promptIn(key string) func(*fields) ([]chat.Message, error) {
	return func(f *fields) ([]chat.Message, error) {
		v, _ := f.get(key)
		if err := f.refusePrompt(v, f.column(key)); err != nil {
			return nil, err
		}
		msgs, err := promptOf(v, f.column(key))
		if err == nil && isLoose(v) {
			if _, response := splitResponse(msgs); response != nil {
				err = fmt.Errorf("%s: it begins as a transcript and ends with the assistant's turn; write the turns as a list of {\"role\", \"content\"}", f.column(key))
			}
		}
		return msgs, err
	}
}

// promptOf reads the value of a prompt. Its errors name the key.
func promptOf(v json.RawMessage, key string) ([]chat.Message, error) {
	if isListOfTexts(v) {
		return nil, named(key, errListOfTexts)
	}
	if kind(v) == "a list" || kind(v) == "an object" && isTurn(v) {
		return turnsOf(asList(v), key)
	}
	if in, err := newFields(v); err == nil && in.has("text") { // a text with its scores, as in RealToxicityPrompts
		v, _ = in.get("text")
	}
	text, err := parseText(v)
	switch {
	case err != nil:
		return nil, named(key, err)
	case holdsTurns(text):
		return turnsOf(v, key)
	case isTranscript(text):
		msgs, err := transcript(text)
		return msgs, named(key, err)
	}
	return []chat.Message{{Role: chat.User, Text: text}}, nil
}

// readTranscript reads a transcript.
func readTranscript(key string) func(*fields) ([]chat.Message, error) {
	return func(f *fields) ([]chat.Message, error) {
		v, _ := f.get(key)
		text, err := parseText(v)
		if err != nil {
			return nil, named(key, err)
		}
		msgs, err := transcript(text)
		return msgs, named(key, err)
	}
}

// readChosen reads the better side of a pair without its last answer.
func readChosen(f *fields) ([]chat.Message, error) {
	v, _ := f.get("chosen")
	if kind(v) == "a list" {
		msgs, err := turnsOf(v, "chosen")
		msgs, _ = splitResponse(msgs)
		return msgs, err
	}
	text, err := parseText(v)
	if err != nil {
		return nil, named("chosen", err)
	}
	if !isTranscript(text) {
		return nil, fmt.Errorf("chosen: no prompt stands beside it, and it is not a transcript: it does not begin with %q", chat.HumanMark)
	}
	msgs, err := transcript(text)
	msgs, _ = splitResponse(msgs)
	return msgs, named("chosen", err)
}
