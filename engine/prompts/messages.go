package prompts

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"amend/engine/chat"
)

// roles are the names of roles in data sets.
func roles() map[string]chat.Role {
	return map[string]chat.Role{
		"system": chat.System, "developer": chat.System,
		"user": chat.User, "human": chat.User, "prompter": chat.User,
		"assistant": chat.Assistant, "gpt": chat.Assistant, "chatgpt": chat.Assistant, "model": chat.Assistant,
	}
}

// parseMessages reads a list of turns, of any order. A text that holds one in JSON, as in CSV, is read too.
func parseMessages(v json.RawMessage) ([]chat.Message, error) {
	if s, err := parseString(v); err == nil && beginsAsList(s) {
		if !json.Valid([]byte(s)) {
			return nil, errors.New("a text that begins as a list and is no JSON; in Python write it with json.dumps")
		}
		v = json.RawMessage(strings.TrimSpace(s))
	}
	list, err := items(v)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("an empty list")
	}
	var msgs []chat.Message
	for i, item := range list {
		turns, err := parseTurns(item)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i+1, err)
		}
		msgs = append(msgs, turns...)
	}
	return msgs, nil
}

// beginsAsList reports whether a text may be a list.
func beginsAsList(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), "[") }

// holdsTurns reports whether a text is a list of turns that was written into one, in JSON or as Python prints it.
func holdsTurns(text string) bool {
	text = strings.TrimSpace(text)
	list, ok := strings.CutPrefix(text, "[")
	if !ok || !strings.HasPrefix(strings.TrimSpace(list), "{") || !strings.HasSuffix(text, "]") {
		return false
	}
	for _, key := range []string{"role", "from"} {
		if strings.Contains(text, `"`+key+`"`) || strings.Contains(text, "'"+key+"'") {
			return true
		}
	}
	return false
}

// isTurn reports whether an object is a turn.
func isTurn(v json.RawMessage) bool {
	f, err := newFields(v)
	return err == nil && (f.has("role") && f.has("content") || f.has("from") && f.has("value"))
}

// parseTurns reads an item of a list of turns: {role, content}, {from, value}, or {input, output}, which is two turns.
func parseTurns(v json.RawMessage) ([]chat.Message, error) {
	f, err := newFields(v)
	if err != nil {
		return nil, err
	}
	if err := f.refuseLoss(); err != nil {
		return nil, err
	}
	for _, keys := range [][2]string{{"role", "content"}, {"from", "value"}} {
		if f.has(keys[0]) || f.has(keys[1]) {
			m, err := f.message(keys[0], keys[1])
			return []chat.Message{m}, err
		}
	}
	if !f.has("input") || !f.has("output") {
		return nil, errors.New("role: missing")
	}
	var turns []chat.Message
	for _, t := range []struct {
		key  string
		role chat.Role
	}{{"input", chat.User}, {"output", chat.Assistant}} {
		v, _ := f.get(t.key)
		text, err := parseText(v)
		if err != nil {
			return nil, named(t.key, err)
		}
		turns = append(turns, chat.Message{Role: t.role, Text: text})
	}
	return turns, nil
}

// message reads a turn; other keys are ignored. A system message may be empty: to some templates that is not the same as none.
func (f *fields) message(roleKey, textKey string) (m chat.Message, err error) {
	for _, key := range []string{roleKey, textKey} {
		if !f.has(key) {
			return m, fmt.Errorf("%s: missing", key)
		}
	}
	v, _ := f.get(roleKey)
	role, err := parseString(v)
	if err != nil {
		return m, named(roleKey, err)
	}
	var known bool
	switch m.Role, known = roles()[strings.ToLower(role)]; {
	case role == "tool" || role == "function" || role == "function_call" || role == "observation" || role == "ipython":
		return m, fmt.Errorf("%s: %q: calls of tools cannot be read", roleKey, role)
	case !known:
		return m, fmt.Errorf("%s: %q is not one of %s", roleKey, clip(role), strings.Join(slices.Sorted(maps.Keys(roles())), ", "))
	}
	v, _ = f.get(textKey)
	if m.Text, err = parseContent(v); err != nil {
		return m, named(textKey, err)
	}
	if m.Role == chat.System && strings.TrimSpace(m.Text) == "" {
		return m, nil
	}
	return m, named(textKey, checkText(m.Text))
}

// parseContent reads the content of a turn: a text, or a list of parts that are texts, which are joined by line breaks.
func parseContent(v json.RawMessage) (string, error) {
	if kind(v) != "a list" {
		return parseString(v)
	}
	list, err := items(v)
	if err != nil {
		return "", err
	}
	var parts []string
	for i, item := range list {
		text, err := parsePart(item)
		if err != nil {
			return "", fmt.Errorf("part %d: %w", i+1, err)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "\n"), nil
}

// parsePart reads a part of a content. Only texts are read.
func parsePart(v json.RawMessage) (string, error) {
	if kind(v) == "a text" {
		return parseString(v)
	}
	f, err := newFields(v)
	if err != nil {
		return "", err
	}
	if f.has("type") {
		switch what, err := f.text("type"); {
		case err != nil:
			return "", err
		case what != "text" && what != "input_text" && what != "output_text":
			return "", fmt.Errorf("%q: only text can be read", clip(what))
		}
	}
	if err := f.refuseLoss(); err != nil {
		return "", err
	}
	text, ok := f.get("text")
	if !ok {
		return "", errors.New("text: missing")
	}
	return parseString(text)
}

// refuseLoss refuses what a text cannot say: tools, images and sound. Empty columns are no loss.
func (f *fields) refuseLoss() error {
	for _, key := range []string{"tools", "functions", "tool_calls", "function_call"} {
		if f.said(key) {
			return fmt.Errorf("%s: calls of tools cannot be read", key)
		}
	}
	for _, key := range []string{"images", "image", "image_url", "image_urls", "image_path", "audios", "audio", "videos", "video"} {
		if f.said(key) {
			return fmt.Errorf("%s: only text can be read", key)
		}
	}
	return nil
}

// checkTurns refuses a conversation that is not an optional system message, then user and assistant in turn, the user first.
// It may end with either.
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
	if len(msgs) == 0 || msgs[len(msgs)-1].Role == chat.System {
		return errors.New("no user turn")
	}
	return nil
}
