package prompts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"amend/engine/chat"
	"amend/engine/feedback"
)

// Pairs is what a preference set holds.
type Pairs struct {
	// Pairs are the good ones in the order of the input: Pairs[i].Index is i.
	Pairs []feedback.Pair
	// Bad are the lines that could not be read, up to where the limit ended the reading.
	Bad    []BadRow
	SHA256 string // as Set's
}

// sides are the keys under which preference sets have the better and the worse response.
var sides = [][2]string{{"chosen", "rejected"}, {"text_correct", "text_incorrect"}}

// ReadPairs reads the pairs of a preference set at path, or from stdin when path is "-": JSONL, read as Read does, with
//
//   - chosen and rejected (hh-rlhf, TRL), or text_correct and text_incorrect (the HHH comparisons): transcripts or lists of
//     messages that differ in their last assistant turn only. Beside prompt or messages each may be that turn alone, as
//     a text or a list of it.
//   - id, tags, language, jurisdiction as in Read.
//
// The better response is a pair's first. limit is the most pairs; 0 reads all.
func ReadPairs(path string, stdin io.Reader, limit int) (*Pairs, error) {
	out := &Pairs{}
	c := collector{full: func() bool { return limit > 0 && len(out.Pairs) >= limit }, put: out.put()}
	sha, err := c.open(path, stdin, MaxLine)
	if err != nil {
		return nil, fmt.Errorf("read pairs from %s: %w", c.name, err)
	}
	out.Bad, out.SHA256 = c.bad, sha
	return out, nil
}

func (p *Pairs) put() func(f form, line []byte, n int) error {
	given := newIDs()
	return func(f form, line []byte, n int) error {
		if f != jsonl {
			return errors.New("the line: plain text; pairs are JSONL, an object a line")
		}
		in, err := parsePair(line)
		if err != nil {
			return err
		}
		said := append(slices.Clone(in.Messages), chat.Message{Role: chat.Assistant, Text: in.First}, chat.Message{Role: chat.Assistant, Text: in.Second})
		if in.ID, err = given.assign(in.ID, said, n); err != nil {
			return err
		}
		in.Index = len(p.Pairs)
		p.Pairs = append(p.Pairs, in)
		return nil
	}
}

// parsePair reads a line.
func parsePair(line []byte) (in feedback.Pair, err error) {
	obj, err := object(line)
	if err != nil {
		return in, fmt.Errorf("the line: %w", err)
	}
	if v, ok := obj["id"]; ok {
		if in.ID, err = parseID(v); err != nil {
			return in, fmt.Errorf("id: %w", err)
		}
	}
	if in.Attributes, err = parseWhere(obj); err != nil {
		return in, err
	}
	i := slices.IndexFunc(sides, func(keys [2]string) bool { _, ok := obj[keys[0]]; return ok })
	if i < 0 {
		return in, fmt.Errorf("the line: neither chosen and rejected nor text_correct and text_incorrect; its keys: %s", keysOf(obj))
	}
	better, worse := sides[i][0], sides[i][1]
	var context []chat.Message
	if i == 0 { // the prompt of an HHH comparison is a question about both
		if context, err = pairContext(obj); err != nil {
			return in, err
		}
	}
	if in.Messages, in.First, err = parseSide(obj, better, context); err != nil {
		return in, err
	}
	other, second, err := parseSide(obj, worse, context)
	if err != nil {
		return in, err
	}
	in.Second, in.Better = second, feedback.First
	switch {
	case hashOf(other) != hashOf(in.Messages):
		return in, fmt.Errorf("%s and %s: they answer different conversations", better, worse)
	case in.First == in.Second:
		return in, fmt.Errorf("%s and %s: the same response", better, worse)
	}
	return in, nil
}

// pairContext is the conversation that stands beside the two sides, nil where there is none.
func pairContext(obj map[string]json.RawMessage) ([]chat.Message, error) {
	for _, key := range []string{"messages", "prompt"} {
		v, ok := obj[key]
		if !ok {
			continue
		}
		msgs, err := conversation(v, key)
		if err != nil {
			return nil, err
		}
		if msgs, response := splitResponse(msgs); response == nil {
			return msgs, nil
		}
		return nil, fmt.Errorf("%s: ends with the assistant's turn, where chosen and rejected are to follow", key)
	}
	return nil, nil
}

// parseSide reads one side: the conversation and the response to it.
func parseSide(obj map[string]json.RawMessage, key string, context []chat.Message) (msgs []chat.Message, response string, err error) {
	v, ok := obj[key]
	if !ok {
		return nil, "", fmt.Errorf("%s: missing", key)
	}
	if alone, ok, err := turnAlone(v); ok || err != nil {
		if err == nil && context == nil {
			err = errors.New("a response without its conversation: no prompt or messages beside it, and no transcript")
		}
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", key, err)
		}
		return context, alone, nil
	}
	if msgs, err = conversation(v, key); err != nil {
		return nil, "", err
	}
	msgs, last := splitResponse(msgs)
	if last == nil || len(msgs) == 0 {
		return nil, "", fmt.Errorf("%s: its last assistant turn is missing or empty", key)
	}
	return msgs, *last, nil
}

// turnAlone reads a text that is no transcript, or a list of one assistant's message.
func turnAlone(v json.RawMessage) (text string, ok bool, err error) {
	if kind(v) == "a list" {
		msgs, err := parseMessages(v)
		if err != nil || len(msgs) != 1 || msgs[0].Role != chat.Assistant {
			return "", false, err
		}
		return msgs[0].Text, true, nil
	}
	text, err = parseText(v)
	return text, err == nil && !isTranscript(text), err
}
