package prompts

import (
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
	// Bad are the records that could not be read, up to where the limit ended the reading.
	Bad    []BadRow
	SHA256 string // as Set's
	Report Report
}

// ReadPairs reads the pairs of preference sets. They are read as Read does, with
//
//   - chosen and rejected (hh-rlhf, TRL), text_correct and text_incorrect (the HHH comparisons), or what else docs/inputs.md
//     names: transcripts or lists of messages that differ in their last assistant turn only. Beside a prompt each may be that
//     turn alone, as a text, a message or a list of it.
//   - id, system, tags, language, jurisdiction as in Read.
//
// The better response is a pair's first. Options.FromResponses counts for nothing.
func ReadPairs(paths Paths, stdin io.Reader, o Options) (*Pairs, error) {
	out := &Pairs{}
	c := collector{given: o.Map, findID: o.FindID, full: func() bool { return o.Limit > 0 && len(out.Pairs) >= o.Limit }, take: out.take()}
	sha, err := c.read(paths, stdin)
	if err != nil {
		return nil, fmt.Errorf("read pairs from %w", err)
	}
	out.Bad, out.SHA256, out.Report = c.bad, sha, c.report
	return out, nil
}

func (p *Pairs) take() func(f *fields, at place) error {
	given := newIDs()
	return func(f *fields, at place) error {
		in, err := parsePair(f)
		if err != nil {
			return err
		}
		said := append(slices.Clone(in.Messages), chat.Message{Role: chat.Assistant, Text: in.First}, chat.Message{Role: chat.Assistant, Text: in.Second})
		if in.ID, err = given.assign(in.ID, said, at); err != nil {
			return err
		}
		in.Index = len(p.Pairs)
		p.Pairs = append(p.Pairs, in)
		return nil
	}
}

// parsePair reads a record.
func parsePair(f *fields) (in feedback.Pair, err error) {
	if f.bare {
		return in, errNoPair
	}
	if err := f.refuseColumns(); err != nil {
		return in, err
	}
	if in.ID, err = f.id(); err != nil {
		return in, err
	}
	if in.Attributes, err = f.attributes(); err != nil {
		return in, err
	}
	if err := f.refuseLoss(); err != nil {
		return in, err
	}
	better, worse, alone, err := f.sides()
	if err != nil {
		return in, err
	}
	first, err := f.answered(better, alone)
	if err != nil {
		return in, err
	}
	second, err := f.answered(worse, alone)
	if err != nil {
		return in, err
	}
	in.Messages, in.First, in.Second, in.Better = first.messages, first.response, second.response, feedback.First
	switch {
	case hashOf(second.messages) != hashOf(first.messages):
		return in, fmt.Errorf("%s and %s: they answer different conversations", better.key, worse.key)
	case in.First == in.Second:
		return in, fmt.Errorf("%s and %s: the same response", better.key, worse.key)
	}
	return in, nil
}

// errNoPair is the reason of a record that is no object.
var errNoPair = errors.New("a prompt alone; a pair is an object with two answers")

// answered is a conversation and a response to it.
type answered struct {
	messages []chat.Message
	response string
}

// answered reads a side. One that is a response alone answers the conversation beside it.
func (f *fields) answered(s side, alone bool) (a answered, err error) {
	var ok bool
	if err := f.refuseWritten(s.value, s.key); err != nil {
		return a, err
	}
	if a.response, ok, err = s.answer(); err != nil {
		return a, err
	}
	if !ok && !alone && f.beside() && isLoose(s.value) {
		asked, err := f.context(s)
		if err != nil {
			return a, err
		}
		if _, whole := splitLoose(s.value, asked); !whole {
			ok = true
		}
	}
	switch {
	case ok && alone:
		return a, fmt.Errorf("%s: no transcript", s.key)
	case ok:
		a.messages, err = f.context(s)
	default:
		if a.messages, a.response, err = s.whole(); err != nil {
			return a, err
		}
	}
	if err == nil {
		a.messages, err = f.withSystem(a.messages)
	}
	return a, err
}

// context is the conversation that stands beside a side. Where it ends with an answer, that may be the better side again.
func (f *fields) context(s side) ([]chat.Message, error) {
	msgs, key, err := f.conversation()
	if errors.Is(err, errShapeless) || key == "chosen" {
		return nil, fmt.Errorf("%s: a response without its conversation: no prompt or messages beside it, and no transcript", s.key)
	}
	if err != nil {
		return nil, err
	}
	msgs, response := splitResponse(msgs)
	if response == nil {
		return msgs, nil
	}
	if better, _, _, err := f.sides(); err == nil {
		if text, ok, err := better.answer(); err == nil && ok && text == *response {
			return msgs, nil
		}
	}
	return nil, fmt.Errorf("%s: ends with the assistant's turn, where chosen and rejected are to follow", key)
}
