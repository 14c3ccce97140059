package prompts

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"amend/constitution"
	"amend/engine/chat"
	"amend/engine/revise"
)

// answers are the columns with an answer that a row starts from only with Options.FromResponses. The first that there is counts.
func answers() []string { return []string{"chosen", "output", "completion", "answer"} }

// parseRow reads a row; its ID stays empty when the record has none.
func parseRow(f *fields, fromResponses bool) (row revise.Row, err error) {
	if err := f.refuseColumns(); err != nil {
		return row, err
	}
	if row.ID, err = f.id(); err != nil {
		return row, err
	}
	if err := f.refuseLoss(); err != nil {
		return row, err
	}
	msgs, _, err := f.conversation()
	if err == nil {
		msgs, err = f.withSystem(msgs)
	}
	if err != nil {
		return row, err
	}
	row.Messages, row.Response = splitResponse(msgs)
	if row.Attributes, err = f.attributes(); err != nil {
		return row, err
	}
	return row, f.setResponse(&row, fromResponses)
}

// setResponse sets the response to start from, where columns beside the conversation have one.
func (f *fields) setResponse(row *revise.Row, fromResponses bool) error {
	if v, ok := f.get("response"); ok {
		if row.Response != nil {
			return errors.New("response: the row has another one, its conversation's last assistant turn")
		}
		if err := f.refuseWritten(v, f.column("response")); err != nil {
			return err
		}
		text, err := parseText(v)
		if err != nil {
			return named("response", err)
		}
		row.Response = &text
	}
	if !fromResponses || row.Response != nil {
		return nil
	}
	for _, key := range answers() {
		if v, ok := f.get(key); ok {
			if err := f.refuseWritten(v, f.column(key)); err != nil {
				return err
			}
			var err error
			row.Response, err = f.answerIn(v, row.Messages)
			return named(key, err)
		}
	}
	return nil
}

// id is the record's own id, "" where it has none.
func (f *fields) id() (string, error) {
	for _, key := range []string{"id", "custom_id"} {
		if v, ok := f.get(key); ok && !unsaid(v) {
			id, err := parseID(v)
			return id, named(key, err)
		}
	}
	return "", nil
}

// withSystem puts the text of a system column before a conversation. One that has another system message is refused.
func (f *fields) withSystem(msgs []chat.Message) ([]chat.Message, error) {
	system, from := "", ""
	for _, key := range []string{"system", "system_prompt"} {
		v, ok := f.get(key)
		if !ok || unsaid(v) {
			continue
		}
		if err := f.refuseWritten(v, f.column(key)); err != nil {
			return nil, err
		}
		text, err := parseContent(v)
		switch {
		case err != nil:
			return nil, named(key, err)
		case strings.TrimSpace(text) == "":
			continue
		case system != "" && text != system:
			return nil, fmt.Errorf("%s: another text than %s", key, from)
		}
		if err := checkText(text); err != nil {
			return nil, named(key, err)
		}
		system, from = text, key
	}
	switch {
	case system == "", len(msgs) > 0 && msgs[0].Role == chat.System && msgs[0].Text == system:
		return msgs, nil
	case len(msgs) > 0 && msgs[0].Role == chat.System:
		return nil, fmt.Errorf("%s: the conversation has another system message", from)
	}
	return append([]chat.Message{{Role: chat.System, Text: system}}, msgs...), nil
}

// attributes reads what principles may ask of a row.
func (f *fields) attributes() (a constitution.Attributes, err error) {
	for _, attribute := range []struct {
		key string
		to  *string
	}{{"language", &a.Language}, {"jurisdiction", &a.Jurisdiction}} {
		v, ok := f.get(attribute.key)
		if !ok || unsaid(v) {
			continue
		}
		if *attribute.to, err = parseText(v); err != nil {
			return a, fmt.Errorf("%s: %w; write one text, or rename the column", f.column(attribute.key), err)
		}
	}
	a.Tags, err = f.tags()
	return a, err
}

// tags reads a list of texts, or one text. Empty ones are ignored.
func (f *fields) tags() (tags []string, err error) {
	v, ok := f.get("tags")
	if !ok || unsaid(v) {
		return nil, nil
	}
	column := f.column("tags")
	if text, err := parseString(v); err == nil && beginsAsList(text) {
		text = strings.TrimSpace(text)
		switch {
		case json.Valid([]byte(text)):
			v = json.RawMessage(text)
		case isPythonList(text), f.cells && strings.HasSuffix(text, "]"):
			return nil, fmt.Errorf("%s: a text that begins as a list and is no JSON; in Python write it with json.dumps", column)
		}
	}
	list := []json.RawMessage{v}
	if kind(v) == "a list" {
		if err := json.Unmarshal(v, &list); err != nil {
			return nil, named(column, err)
		}
	}
	for i, item := range list {
		text, err := parseString(item)
		if err == nil && strings.TrimSpace(text) == "" {
			continue
		}
		if err == nil {
			err = checkText(text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s, item %d: %w; principles ask for tags by name: write texts, or rename the column", column, i+1, err)
		}
		tags = append(tags, text)
	}
	return tags, nil
}

// answerIn reads the response that a column holds: its last assistant turn, or all of it when it is a bare text.
func (f *fields) answerIn(v json.RawMessage, asked []chat.Message) (*string, error) {
	var msgs []chat.Message
	if s, err := parseString(v); kind(v) == "a list" || kind(v) == "an object" || err == nil && holdsTurns(s) {
		if msgs, err = parseMessages(asList(v)); err != nil {
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
		if isLoose(v) && f.beside() {
			if response, whole := splitLoose(v, asked); whole {
				return &response, nil
			}
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

// asList is a list of turns: of one where the value is a turn.
func asList(v json.RawMessage) json.RawMessage {
	if kind(v) != "an object" {
		return v
	}
	return append(append(json.RawMessage{'['}, v...), ']')
}
