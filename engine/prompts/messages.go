package prompts

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"amend/engine/chat"
)

// parseMessages reads a list of {role, content}, of any order.
func parseMessages(v json.RawMessage) ([]chat.Message, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(v, &list); err != nil {
		return nil, notJSON(err)
	}
	if len(list) == 0 {
		return nil, errors.New("an empty list")
	}
	msgs := make([]chat.Message, len(list))
	for i, item := range list {
		var err error
		if msgs[i], err = parseMessage(item); err != nil {
			return nil, fmt.Errorf("message %d: %w", i+1, err)
		}
	}
	return msgs, nil
}

// parseMessage reads {role, content}; other keys are ignored. A system
// message may be empty: to some templates that is not the same as none.
func parseMessage(v json.RawMessage) (chat.Message, error) {
	var m chat.Message
	obj, err := object(v)
	if err != nil {
		return m, err
	}
	for _, key := range []string{"role", "content"} {
		if _, ok := obj[key]; !ok {
			return m, fmt.Errorf("%s: missing", key)
		}
	}
	role, err := parseString(obj["role"])
	if err != nil {
		return m, fmt.Errorf("role: %w", err)
	}
	switch m.Role = chat.Role(role); m.Role {
	case chat.System, chat.User, chat.Assistant:
	default:
		return m, fmt.Errorf("role: %q is not one of system, user, assistant", clip(role))
	}
	if m.Text, err = parseString(obj["content"]); err != nil {
		return m, fmt.Errorf("content: %w", err)
	}
	if m.Role == chat.System && strings.TrimSpace(m.Text) == "" {
		return m, nil
	}
	if err := checkText(m.Text); err != nil {
		return m, fmt.Errorf("content: %w", err)
	}
	return m, nil
}

// checkTurns refuses a conversation that is not an optional system message,
// then user and assistant in turn, the user first. It may end with either.
func checkTurns(msgs []chat.Message) error {
	want := chat.User
	for i, m := range msgs {
		switch {
		case m.Role == chat.System && i == 0:
		case m.Role == chat.System:
			return fmt.Errorf("message %d: role: the system message must come first, and once", i+1)
		case m.Role == want && want == chat.User:
			want = chat.Assistant
		case m.Role == want:
			want = chat.User
		case want == chat.User && (i == 0 || msgs[i-1].Role == chat.System):
			return fmt.Errorf("message %d: role: the conversation begins with the assistant; the user must begin", i+1)
		default:
			return fmt.Errorf("message %d: role: two %s turns in a row; user and assistant must alternate", i+1, m.Role)
		}
	}
	if msgs[len(msgs)-1].Role == chat.System {
		return errors.New("no user turn")
	}
	return nil
}
