package evalset

import (
	"fmt"
	"slices"
	"strings"

	"amend/engine"
	"amend/engine/chat"
)

// Tokenizer is a model's vocabulary, as package chat has it.
type Tokenizer interface {
	Tokenize(text string, special, after bool) ([]engine.Token, error)
	BOS() engine.Token
}

// transcript writes a conversation as the text that a base model is given, up to where the answer begins: of HHH and Pairs as
// hh-rlhf has it, "\n\nHuman: …\n\nAssistant:"; of TruthfulQA as "Q: …\nA:", without the worked questions that the authors put
// before it.
func transcript(set Set, msgs []chat.Message) (string, error) {
	user, assistant := chat.HumanMark, chat.AssistantMark
	if set == TruthfulQA {
		user, assistant = "\n\nQ:", "\nA:"
	}
	var b strings.Builder
	for _, m := range msgs {
		switch m.Role {
		case chat.System:
			b.WriteString("\n\n" + strings.TrimSpace(m.Text))
			continue
		case chat.User:
			b.WriteString(user)
		case chat.Assistant:
			b.WriteString(assistant)
		default:
			return "", fmt.Errorf("a transcript has no place for the role %q", m.Role)
		}
		b.WriteString(" " + strings.TrimSpace(m.Text))
	}
	b.WriteString(assistant)
	if set == TruthfulQA {
		return strings.TrimPrefix(b.String(), "\n\n"), nil
	}
	return b.String(), nil
}

// tokens writes an item down as lm-evaluation-harness does: a text with an answer is tokenized as a whole, and the answer's
// tokens are those behind as many as the text alone has.
func tokens(t Tokenizer, set Set, it Item) (prompt []engine.Token, options [][]engine.Token, err error) {
	text, err := transcript(set, it.Messages)
	if err != nil {
		return nil, nil, err
	}
	encode := func(text string) ([]engine.Token, error) {
		ids, err := t.Tokenize(text, false, false)
		if err != nil {
			return nil, fmt.Errorf("tokenizing a text of %d bytes: %w", len(text), err)
		}
		if bos := t.BOS(); bos >= 0 {
			ids = slices.Insert(ids, 0, bos)
		}
		return ids, nil
	}
	if prompt, err = encode(text); err != nil {
		return nil, nil, err
	}
	for i, o := range it.Options {
		whole, err := encode(text + " " + strings.TrimSpace(o.Text))
		if err != nil {
			return nil, nil, err
		}
		if len(whole) <= len(prompt) || !slices.Equal(whole[:len(prompt)], prompt) {
			return nil, nil, fmt.Errorf("option %d: the model's tokens do not tell where the answer begins: write conversations by its template", i+1)
		}
		options = append(options, whole[len(prompt):])
	}
	return prompt, options, nil
}
