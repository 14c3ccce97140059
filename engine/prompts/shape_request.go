package prompts

import (
	"errors"
	"fmt"

	"amend/engine/chat"
)

// readRequest reads a request to a model's server: an object with messages, and perhaps a system text beside them (the batches
// of OpenAI and Anthropic, OpenAI's preference format).
func readRequest(key string) func(*fields) ([]chat.Message, error) {
	return func(f *fields) ([]chat.Message, error) {
		v, _ := f.get(key)
		request, err := newFields(v)
		if err == nil {
			err = request.refuseLoss()
		}
		if err != nil {
			return nil, named(key, err)
		}
		if !request.has("messages") {
			return nil, fmt.Errorf("%s: no messages in it; its keys: %s", key, request.list())
		}
		msgs, err := listIn("messages")(request)
		if err == nil {
			msgs, err = request.withSystem(msgs)
		}
		return msgs, named(key, err)
	}
}

// readAlternating reads a list of texts that are turns, the user's first (UltraChat).
func readAlternating(key string) func(*fields) ([]chat.Message, error) {
	return func(f *fields) (msgs []chat.Message, err error) {
		v, _ := f.get(key)
		list, err := items(v)
		if err != nil {
			return nil, named(key, err)
		}
		for i, item := range list {
			text, err := parseText(item)
			if err != nil {
				return nil, fmt.Errorf("%s, item %d: %w", key, i+1, err)
			}
			msgs = append(msgs, chat.Message{Role: []chat.Role{chat.User, chat.Assistant}[i%2], Text: text})
		}
		return msgs, nil
	}
}

// readUltraChat reads the turns of UltraChat, whose rows have ids. A list of texts alone may be several prompts.
func readUltraChat(f *fields) ([]chat.Message, error) {
	if !f.has("id") {
		return nil, named("data", errListOfTexts)
	}
	return readAlternating("data")(f)
}

// readOneTurn reads a list with one text, the user's (MT-Bench). Several are the user's too, without the answers between.
func readOneTurn(f *fields) ([]chat.Message, error) {
	msgs, err := readAlternating("turns")(f)
	if err == nil && len(msgs) > 1 {
		err = errors.New("turns: several turns of the user, without the answers between them")
	}
	return msgs, err
}
