package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Frame is the text around the contents of one shape of conversation.
type Frame struct {
	// Pieces are the texts before, between and after the contents: one more
	// than there are messages. The last ends where the assistant answers.
	Pieces []string
	// TrimLeft and TrimRight say for each message whether the template takes
	// white space off that end of its content.
	TrimLeft, TrimRight []bool
}

// Framer writes conversations down in one layout.
type Framer interface {
	// Frame returns the text around messages of these roles, up to where the
	// assistant's next turn starts.
	Frame(ctx context.Context, roles []Role) (Frame, error)
	// Stops are strings that end a turn in this layout.
	Stops() []string
	// Think are the marks around thoughts; none where a layout knows of no thinking.
	Think() ThinkTags
}

// ErrRenderer is wrapped by a Renderer's error when the template was not to
// blame: the process that renders failed or was stopped.
var ErrRenderer = errors.New("rendering the chat template failed")

// Renderer renders a chat template, with the mark for the assistant's answer
// at its end.
type Renderer interface {
	Render(ctx context.Context, msgs []Message) (string, error)
}

// Template is the Layout of a model's own chat template. It renders each
// shape with placeholders for the contents and finds out from the output where
// contents go and what the template does to them.
type Template struct {
	renderer Renderer
	think    ThinkTags
}

// NewTemplate returns the layout of a template whose thoughts stand between the tags.
func NewTemplate(r Renderer, think ThinkTags) *Template { return &Template{renderer: r, think: think} }

// Think implements Framer.
func (t *Template) Think() ThinkTags { return t.think }

// Stops implements Layout: a template's turns end with a control token.
func (t *Template) Stops() []string { return nil }

// Frame implements Layout. It fails when the template raises an error for
// this shape, or when it does not pass each content on exactly once, in order
// and unchanged: contents put into such a frame would not be what the model's
// authors meant.
func (t *Template) Frame(ctx context.Context, roles []Role) (Frame, error) {
	msgs := make([]Message, len(roles))
	for i, r := range roles {
		msgs[i] = Message{Role: r, Text: placeholderPad + placeholder(i) + placeholderPad}
	}
	text, err := t.renderer.Render(ctx, msgs)
	if err != nil {
		return Frame{}, err
	}
	return cutFrame(text, roles)
}

// placeholderPad is the white space around a placeholder: what is left of it shows
// whether the template trims. No template writes this mix of its own.
const placeholderPad = "\t \t"

// placeholder is the content of message i while a frame is made. The private-use
// characters keep it apart from any template's own text. The others would be
// changed by a template that escapes or quotes contents (tojson, escape).
func placeholder(i int) string { return fmt.Sprintf("\uE000%d\"\\<&'\uE001", i) }

// cutFrame cuts a rendered text at its placeholders.
func cutFrame(text string, roles []Role) (Frame, error) {
	var f Frame
	for i, r := range roles {
		mark := placeholder(i)
		at := strings.Index(text, mark)
		if at < 0 {
			return Frame{}, fmt.Errorf("the chat template does not pass on the content of message %d of %d (%s) unchanged and in order: set chat to plain, or give another template", i+1, len(roles), r)
		}
		before, after := text[:at], text[at+len(mark):]
		left, padL := strings.CutSuffix(before, placeholderPad)
		right, padR := strings.CutPrefix(after, placeholderPad)
		f.Pieces = append(f.Pieces, left)
		f.TrimLeft = append(f.TrimLeft, !padL)
		f.TrimRight = append(f.TrimRight, !padR)
		text = right
	}
	f.Pieces = append(f.Pieces, text)
	for _, p := range f.Pieces {
		if strings.ContainsAny(p, "\uE000\uE001") {
			return Frame{}, fmt.Errorf("the chat template uses a message's content more than once: set chat to plain, or give another template")
		}
	}
	return f, nil
}

// The marks that begin a turn of a plain transcript, as in hh-rlhf.
const (
	HumanMark     = "\n\nHuman:"
	AssistantMark = "\n\nAssistant:"
)

// Plain is the Layout of transcripts for base models, as hh-rlhf has them:
// "\n\nHuman: … \n\nAssistant: …".
type Plain struct{}

// Stops implements Layout: a base model goes on to write the other side.
func (Plain) Stops() []string { return []string{HumanMark, AssistantMark} }

// Think implements Framer: base models do not think.
func (Plain) Think() ThinkTags { return ThinkTags{} }

// Frame implements Layout. The space after a colon belongs to the content,
// since models generate it as part of their first word.
func (Plain) Frame(_ context.Context, roles []Role) (Frame, error) {
	f := Frame{TrimLeft: make([]bool, len(roles)), TrimRight: make([]bool, len(roles))}
	for i, r := range roles {
		f.TrimLeft[i], f.TrimRight[i] = true, true
		switch r {
		case System:
			f.Pieces = append(f.Pieces, "")
		case User:
			f.Pieces = append(f.Pieces, HumanMark)
		case Assistant:
			f.Pieces = append(f.Pieces, AssistantMark)
		default:
			return Frame{}, fmt.Errorf("a plain transcript has no place for the role %q", r)
		}
	}
	f.Pieces = append(f.Pieces, AssistantMark)
	return f, nil
}
