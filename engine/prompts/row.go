package prompts

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"amend/constitution"
	"amend/engine/chat"
	"amend/engine/revise"
)

// sources are the keys that can give a conversation; the first that a row has
// does.
var sources = []string{"messages", "prompt", "chosen"}

// parseRow reads a JSONL row; its ID stays empty when the row has none.
func parseRow(line []byte, fromResponses bool) (revise.Row, error) {
	var row revise.Row
	obj, err := object(line)
	if err != nil {
		return row, fmt.Errorf("the line: %w", err)
	}
	if v, ok := obj["id"]; ok {
		if row.ID, err = parseID(v); err != nil {
			return row, fmt.Errorf("id: %w", err)
		}
	}
	if err := setConversation(&row, obj, fromResponses); err != nil {
		return row, err
	}
	if row.Attributes, err = parseWhere(obj); err != nil {
		return row, err
	}
	if v, ok := obj["response"]; ok {
		if row.Response != nil {
			return row, errors.New("response: the row has another one, its conversation's last assistant turn")
		}
		text, err := parseText(v)
		if err != nil {
			return row, fmt.Errorf("response: %w", err)
		}
		row.Response = &text
	}
	v, ok := obj["chosen"]
	if ok && fromResponses && row.Response == nil {
		if row.Response, err = chosenResponse(v); err != nil {
			return row, fmt.Errorf("chosen: %w", err)
		}
	}
	return row, nil
}

// parseWhere reads what principles may ask of a row.
func parseWhere(obj map[string]json.RawMessage) (w constitution.Attributes, err error) {
	for _, f := range []struct {
		key string
		to  *string
	}{{"language", &w.Language}, {"jurisdiction", &w.Jurisdiction}} {
		v, ok := obj[f.key]
		if !ok || unsaid(v) {
			continue
		}
		if *f.to, err = parseText(v); err != nil {
			return w, fmt.Errorf("%s: %w", f.key, err)
		}
	}
	v, ok := obj["tags"]
	if !ok || unsaid(v) {
		return w, nil
	}
	list := []json.RawMessage{v}
	if kind(v) == "a list" {
		if err := json.Unmarshal(v, &list); err != nil {
			return w, fmt.Errorf("tags: %w", err)
		}
	}
	for i, item := range list {
		text, err := parseText(item)
		if err != nil {
			return w, fmt.Errorf("tags, item %d: %w", i+1, err)
		}
		w.Tags = append(w.Tags, text)
	}
	return w, nil
}

// unsaid reports whether a value is one that stands in a column of a row which says nothing there.
func unsaid(v json.RawMessage) bool { return string(v) == "null" || string(v) == `""` }

// setConversation sets a row's messages, and its response when a last
// assistant turn is one.
func setConversation(row *revise.Row, obj map[string]json.RawMessage, fromResponses bool) error {
	i := slices.IndexFunc(sources, func(key string) bool { _, ok := obj[key]; return ok })
	if i < 0 {
		return fmt.Errorf("the line: none of %s; its keys: %s", strings.Join(sources, ", "), keysOf(obj))
	}
	key := sources[i]
	msgs, err := conversation(obj[key], key)
	if err != nil {
		return err
	}
	var response *string
	row.Messages, response = splitResponse(msgs)
	if key != "chosen" {
		row.Response = response
	}
	return nil
}

// conversation reads the value of a key in sources. Its errors name the key.
func conversation(v json.RawMessage, key string) ([]chat.Message, error) {
	if kind(v) == "a list" {
		msgs, err := parseMessages(v)
		if err == nil {
			err = checkTurns(msgs)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		return msgs, nil
	}
	if key == "messages" {
		return nil, fmt.Errorf("%s: %s, want a list", key, kind(v))
	}
	text, err := parseText(v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	if key == "prompt" && !isTranscript(text) {
		return []chat.Message{{Role: chat.User, Text: text}}, nil
	}
	msgs, err := transcript(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return msgs, nil
}

// chosenResponse reads the response that chosen holds: its last assistant
// turn, or all of it when it is a bare text.
func chosenResponse(v json.RawMessage) (*string, error) {
	var msgs []chat.Message
	if kind(v) == "a list" {
		var err error
		if msgs, err = parseMessages(v); err != nil {
			return nil, err
		}
	} else {
		text, err := parseText(v)
		if err != nil {
			return nil, err
		}
		if !isTranscript(text) {
			return &text, nil
		}
		if msgs, err = transcript(text); err != nil {
			return nil, err
		}
	}
	_, response := splitResponse(msgs)
	if response == nil {
		return nil, errors.New("no response to start from; its last assistant turn is missing or empty")
	}
	return response, nil
}
