package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Formatter makes conversations of one model in one layout. It caches what it
// rendered and tokenized, and is not safe for concurrent use.
type Formatter struct {
	layout Framer
	vocab  Tokenizer
	// foldSystem is set when the layout has no system role: a system text then
	// becomes the start of the first user message.
	foldSystem bool
	// spaced is set in a plain transcript: a text follows its colon after a
	// space.
	spaced bool

	frames map[string]Frame
	pieces map[pieceKey][]Token
}

type pieceKey struct {
	text  string
	after bool
}

// NewFormatter returns a formatter. It tries the layout with a short
// conversation, so that a template which cannot work fails here, and finds out
// whether there is a system role.
func NewFormatter(ctx context.Context, l Framer, v Tokenizer) (*Formatter, error) {
	f := &Formatter{layout: l, vocab: v, frames: map[string]Frame{}, pieces: map[pieceKey][]Token{}}
	_, f.spaced = l.(Plain)
	if _, err := f.frame(ctx, []Role{User, Assistant, User}); err != nil {
		return nil, fmt.Errorf("trying the chat template: %w", err)
	}
	_, err := f.frame(ctx, []Role{System, User, Assistant, User})
	if ctx.Err() != nil || errors.Is(err, ErrRenderer) {
		return nil, fmt.Errorf("trying the chat template with a system text: %w", err)
	}
	f.foldSystem = err != nil
	return f, nil
}

// Stops are the strings that end a turn.
func (f *Formatter) Stops() []string { return f.layout.Stops() }

func (f *Formatter) frame(ctx context.Context, roles []Role) (Frame, error) {
	key := shape(roles)
	if fr, ok := f.frames[key]; ok {
		return fr, nil
	}
	fr, err := f.layout.Frame(ctx, roles)
	if err != nil {
		return Frame{}, err
	}
	f.frames[key] = fr
	return fr, nil
}

// Conversation is the token ids of a conversation up to where the assistant's
// next turn starts. It is a value: turns make new ones from it, and several
// can go on from the same.
type Conversation struct {
	Tokens []Token
	// Tail is the layout's text after the last message: what the assistant's
	// turn goes on from.
	Tail   string
	tailAt int // where its ids begin
	roles  []Role
	f      *Formatter
}

// Tokenize fills in the ids of messages that have none, so that opening many
// conversations with the same beginning tokenizes it once. The result is a
// copy.
func (f *Formatter) Tokenize(ctx context.Context, msgs []Message) ([]Message, error) {
	msgs = f.fold(msgs)
	if f.folds(msgs) {
		return msgs, nil
	}
	frame, err := f.frame(ctx, append(roles(msgs), User))
	if err != nil {
		return nil, err
	}
	var ids []Token
	for i := range msgs {
		if ids, err = f.appendPiece(ids, frame.Pieces[i]); err != nil {
			return nil, err
		}
		if msgs[i].Tokens, err = f.content(ids, msgs[i], frame, i); err != nil {
			return nil, err
		}
		if msgs[i].Tokens == nil {
			msgs[i].Tokens = []Token{} // known to be empty
		}
		ids = append(ids, msgs[i].Tokens...)
	}
	return msgs, nil
}

// Prefix is what every conversation that opens with msgs starts with, up to
// the content of the user message that comes next.
func (f *Formatter) Prefix(ctx context.Context, msgs []Message) ([]Token, error) {
	msgs = f.fold(msgs)
	if f.folds(msgs) {
		msgs = nil // the system text is part of the content that comes next
	}
	frame, err := f.frame(ctx, append(roles(msgs), User))
	if err != nil {
		return nil, err
	}
	ids, err := f.assemble(msgs, frame)
	if err != nil {
		return nil, err
	}
	return f.appendPiece(ids, frame.Pieces[len(msgs)])
}

// Open returns the conversation of msgs, the last of which is the user's.
func (f *Formatter) Open(ctx context.Context, msgs []Message) (*Conversation, error) {
	msgs = f.fold(msgs)
	if len(msgs) == 0 || msgs[len(msgs)-1].Role != User {
		return nil, fmt.Errorf("a conversation of %d messages does not end with the user's", len(msgs))
	}
	shape := roles(msgs)
	frame, err := f.frame(ctx, shape)
	if err != nil {
		return nil, err
	}
	ids, err := f.assemble(msgs, frame)
	if err != nil {
		return nil, err
	}
	c := &Conversation{Tail: frame.Pieces[len(msgs)], tailAt: len(ids), roles: shape, f: f}
	c.Tokens, err = f.appendPiece(ids, c.Tail)
	return c, err
}

// Answer is the conversation where the answer itself comes next: a thought that the template opens is closed, empty. It is
// for answers that are given and not generated.
func (c *Conversation) Answer() (*Conversation, error) {
	tags := c.f.layout.Think()
	if !PromptOpensThink(c.Tail, tags) {
		return c, nil
	}
	out := *c
	out.Tail = closeThink(c.Tail, tags)
	var err error
	out.Tokens, err = c.f.appendPiece(slices.Clone(c.Tokens[:c.tailAt]), out.Tail)
	return &out, err
}

// Next goes on: the assistant said reply, the user says next. Only the text
// between and around the two is added; what was there stays as it is, except
// for a thought that the template opens: reply is what was said after it.
func (c *Conversation) Next(ctx context.Context, reply []Token, next Message) (*Conversation, error) {
	shape := append(slices.Clone(c.roles), Assistant, User)
	frame, err := c.f.frame(ctx, shape)
	if err != nil {
		return nil, err
	}
	n := len(shape)
	said := c.Tokens
	if PromptOpensThink(c.Tail, c.f.layout.Think()) {
		if said, err = c.f.appendPiece(slices.Clone(c.Tokens[:c.tailAt]), frame.Pieces[n-2]); err != nil {
			return nil, err
		}
	}
	ids := slices.Concat(said, reply)
	if ids, err = c.f.appendPiece(ids, frame.Pieces[n-1]); err != nil {
		return nil, err
	}
	next.Role = User
	content, err := c.f.content(ids, next, frame, n-1)
	if err != nil {
		return nil, err
	}
	ids = append(ids, content...)
	out := &Conversation{Tail: frame.Pieces[n], tailAt: len(ids), roles: shape, f: c.f}
	out.Tokens, err = c.f.appendPiece(ids, out.Tail)
	return out, err
}

// Reply returns the ids of an assistant's turn that was not generated here, as
// it follows the conversation.
func (c *Conversation) Reply(ctx context.Context, text string) ([]Token, error) {
	shape := append(slices.Clone(c.roles), Assistant, User)
	frame, err := c.f.frame(ctx, shape)
	if err != nil {
		return nil, err
	}
	return c.f.content(c.Tokens, Message{Role: Assistant, Text: text}, frame, len(c.roles))
}

// CompletionIDs returns the ids of an assistant's turn as a model is to learn it: its text, and what ends it.
func (c *Conversation) CompletionIDs(ctx context.Context, text string) ([]Token, error) {
	c, err := c.Answer()
	if err != nil {
		return nil, err
	}
	reply, err := c.Reply(ctx, text)
	if err != nil {
		return nil, err
	}
	if stops := c.f.layout.Stops(); len(stops) > 0 {
		return c.Append(reply, stops[0])
	}
	next, err := c.Next(ctx, reply, Message{Text: "?"})
	if err != nil {
		return nil, err
	}
	for i, t := range next.Tokens[len(c.Tokens)+len(reply):] {
		if c.f.vocab.Control(t) {
			end := len(c.Tokens) + len(reply) + i + 1
			return slices.Clip(next.Tokens[len(c.Tokens):end]), nil
		}
	}
	return reply, nil // nothing in the template ends a turn
}

// Append returns the token ids of a partial assistant turn followed by text.
func (c *Conversation) Append(said []Token, text string) ([]Token, error) {
	ids, err := c.f.vocab.Tokenize(text, false, len(said) > 0 || c.f.after(c.Tokens))
	if err != nil {
		return nil, fmt.Errorf("tokenizing %q: %w", text, err)
	}
	return slices.Concat(said, ids), nil
}

// Spellings returns the lists of ids with which the assistant's turn can go on as text, behind what it has said: as the
// layout writes it, and with and without a space before. Each is there once.
func (c *Conversation) Spellings(ctx context.Context, said []Token, text string) ([][]Token, error) {
	var out [][]Token
	if len(said) == 0 {
		ids, err := c.Reply(ctx, text)
		if err != nil {
			return nil, err
		}
		out = append(out, ids)
	}
	for _, spelling := range []string{text, " " + text} {
		ids, err := c.f.vocab.Tokenize(spelling, false, len(said) > 0 || c.f.after(c.Tokens))
		if err != nil {
			return nil, fmt.Errorf("tokenizing %q: %w", spelling, err)
		}
		if !slices.ContainsFunc(out, func(have []Token) bool { return slices.Equal(have, ids) }) {
			out = append(out, ids)
		}
	}
	return out, nil
}

// assemble joins pieces and contents, without the last piece.
func (f *Formatter) assemble(msgs []Message, frame Frame) (ids []Token, err error) {
	for i, m := range msgs {
		if ids, err = f.appendPiece(ids, frame.Pieces[i]); err != nil {
			return nil, err
		}
		content, err := f.content(ids, m, frame, i)
		if err != nil {
			return nil, err
		}
		ids = append(ids, content...)
	}
	return ids, nil
}

// appendPiece adds text of the template, in which control tokens count. A
// sequence starts with exactly one BOS, whether the template writes it or not.
func (f *Formatter) appendPiece(ids []Token, text string) ([]Token, error) {
	start := len(ids) == 0
	key := pieceKey{text, f.after(ids)}
	piece, ok := f.pieces[key]
	if !ok {
		var err error
		if piece, err = f.vocab.Tokenize(text, true, key.after); err != nil {
			return nil, fmt.Errorf("tokenizing the text of the chat template: %w", err)
		}
		f.pieces[key] = piece
	}
	if bos := f.vocab.BOS(); start && bos >= 0 && (len(piece) == 0 || piece[0] != bos) {
		ids = append(ids, bos)
	}
	return append(ids, piece...), nil
}

// content returns the ids of message i of a frame, as it follows ids.
func (f *Formatter) content(ids []Token, m Message, frame Frame, i int) ([]Token, error) {
	if m.Tokens != nil {
		return m.Tokens, nil
	}
	text := m.Text
	if frame.TrimLeft[i] {
		text = strings.TrimLeft(text, whiteSpace)
	}
	if frame.TrimRight[i] {
		text = strings.TrimRight(text, whiteSpace)
	}
	if f.spaced && m.Role != System {
		text = " " + text
	}
	out, err := f.vocab.Tokenize(text, false, f.after(ids))
	if err != nil {
		return nil, fmt.Errorf("tokenizing a %s message of %d bytes: %w", m.Role, len(text), err)
	}
	return out, nil
}

// whiteSpace is what Jinja's trim takes off.
const whiteSpace = " \t\n\r\v\f"

// after reports whether a text put behind ids follows ordinary text.
func (f *Formatter) after(ids []Token) bool {
	return len(ids) > 0 && !f.vocab.Control(ids[len(ids)-1])
}

// fold moves a system text into the first user message where the layout has
// no system role, and copies the slice either way.
func (f *Formatter) fold(msgs []Message) []Message {
	msgs = slices.Clone(msgs)
	if !f.folds(msgs) || len(msgs) < 2 || msgs[1].Role != User {
		return msgs
	}
	msgs[1] = Message{Role: User, Text: msgs[0].Text + "\n\n" + msgs[1].Text}
	return msgs[1:]
}

// folds reports whether msgs start with a system text that this layout has no
// role for.
func (f *Formatter) folds(msgs []Message) bool {
	return f.foldSystem && len(msgs) > 0 && msgs[0].Role == System
}
