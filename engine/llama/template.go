package llama

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// DefaultTemplateLimit is how long one render (or the first parse) of a chat template may take.
const DefaultTemplateLimit = 10 * time.Second

// DefaultTemplateMemory is how many bytes a template's worker may allocate.
const DefaultTemplateMemory = 1 << 30

// ErrTemplateTimeout is returned when a template did not finish within TemplateOptions.Limit.
var ErrTemplateTimeout = errors.New("the chat template did not finish")

// ErrTemplateMemory is returned when a template asked for more than TemplateOptions.MemoryLimit.
var ErrTemplateMemory = errors.New("the chat template asked for too much memory")

// ErrTemplateWorker is returned when the process that runs a template could not be started, or died by itself; the
// usual cause is a macro that calls itself until the stack ends.
var ErrTemplateWorker = errors.New("the chat template's worker process failed")

// TemplateError is what a template itself reports.
type TemplateError struct {
	Syntax  bool   // the template does not parse
	Raised  bool   // the template called raise_exception, and Message is its argument
	Message string // one line
	Detail  string // the engine's whole message, with the place in the source
}

// Error implements error.
func (e *TemplateError) Error() string {
	switch {
	case e.Syntax:
		return "the chat template is not valid: " + e.Message
	case e.Raised:
		return "the chat template refuses the conversation: " + e.Message
	}
	return "the chat template fails: " + e.Message
}

// TemplateMessage is one turn of a conversation. Content is UTF-8.
type TemplateMessage struct {
	Role, Content string
}

// TemplateOptions say how a template is run. Worker and Now are required.
type TemplateOptions struct {
	Worker      []string      // argv of a process that calls TemplateWorker on its stdin and stdout
	BOS, EOS    string        // the texts of the model's tokens, the template's bos_token and eos_token
	Now         time.Time     // what strftime_now shows, in UTC; fixed, so that a resumed run renders the same
	Limit       time.Duration // of one render, and of a worker's start; 0 is DefaultTemplateLimit
	MemoryLimit uint64        // bytes; 0 is DefaultTemplateMemory; only Linux enforces it
}

// RenderOptions are a render's variables beside the messages.
type RenderOptions struct {
	AddGenerationPrompt bool           // end with the opening of an assistant turn
	Extra               map[string]any // other variables, such as enable_thinking; values that JSON can hold
}

// Template is a model's own Jinja chat template. It is run by llama.cpp's Jinja engine in a worker process of its own,
// because a template can loop for ever, exhaust memory or overflow the stack, and the engine has no limits; a worker
// that does is killed, and the next call starts another.
//
// Methods may be called from several goroutines; they wait for one another. Close it when it is no longer needed.
type Template struct {
	source string
	opt    TemplateOptions
	leak   runtime.Cleanup // logs a Template that is lost without Close

	turn   chan struct{} // holds one value: who takes it owns the fields below until it is put back
	worker *templateProcess
	typed  *bool // contents go in as [{"type":"text","text":…}]; nil until it is known
	closed bool
}

// NewTemplate prepares a template; the worker is started, and source parsed, by the first call that needs it.
func NewTemplate(source string, opt TemplateOptions) (*Template, error) {
	if len(opt.Worker) == 0 {
		return nil, errors.New("llama: new chat template: TemplateOptions.Worker is empty")
	}
	if strings.TrimSpace(source) == "" {
		return nil, errors.New("llama: new chat template: the template is empty")
	}
	if opt.Now.IsZero() {
		return nil, errors.New("llama: new chat template: TemplateOptions.Now is not set")
	}
	if !utf8.ValidString(source) {
		return nil, errors.New("llama: new chat template: the template is not valid UTF-8")
	}
	if opt.Limit == 0 {
		opt.Limit = DefaultTemplateLimit
	}
	if opt.MemoryLimit == 0 {
		opt.MemoryLimit = DefaultTemplateMemory
	}
	opt.Worker = slices.Clone(opt.Worker)
	t := &Template{source: source, opt: opt, turn: make(chan struct{}, 1)}
	t.turn <- struct{}{}
	t.leak = reportLeak(t, newOpened("chat template"))
	return t, nil
}

// Source returns the template's text.
func (t *Template) Source() string { return t.source }

// Render returns msgs as the template writes them. Contents reach the template as plain text, or as a list of parts where
// only that comes out whole, which is found once by rendering a probe.
//
// What a template does to contents (strip, split, join, tojson) may change them; Render reports what came out and judges
// nothing. It fails with a *TemplateError, or an error that wraps ErrTemplateTimeout, ErrTemplateMemory,
// ErrTemplateWorker, ErrClosed or ctx's.
func (t *Template) Render(ctx context.Context, msgs []TemplateMessage, opt RenderOptions) (string, error) {
	if err := t.acquire(ctx); err != nil {
		return "", fmt.Errorf("llama: render chat template: %w", err)
	}
	defer t.release()
	typed, err := t.wantsParts(ctx)
	if err != nil {
		return "", fmt.Errorf("llama: render chat template: %w", err)
	}
	text, err := t.render(ctx, msgs, opt, typed)
	if err != nil {
		return "", fmt.Errorf("llama: render chat template: %w", err)
	}
	return text, nil
}

// Close ends the worker. It waits for a call in progress, and may be called again.
func (t *Template) Close() error {
	<-t.turn
	defer t.release()
	t.closed = true
	t.leak.Stop()
	t.stop()
	return nil
}

func (t *Template) acquire(ctx context.Context) error {
	select {
	case <-t.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	if t.closed {
		t.release()
		return ErrClosed
	}
	return nil
}

func (t *Template) release() { t.turn <- struct{}{} }

// render needs t.turn. typed is the form of the contents.
func (t *Template) render(ctx context.Context, msgs []TemplateMessage, opt RenderOptions, typed bool) (string, error) {
	doc, err := t.document(msgs, opt, typed)
	if err != nil {
		return "", err
	}
	reply, err := t.exchange(ctx, templateRequest{Document: doc})
	if err != nil {
		return "", err
	}
	return reply.Text, nil
}

// document is the JSON object whose members are the template's variables. tools and documents stay undefined, as in
// llama.cpp; add_generation_prompt is always defined, as in transformers.
func (t *Template) document(msgs []TemplateMessage, opt RenderOptions, typed bool) ([]byte, error) {
	messages := make([]map[string]any, len(msgs))
	for i, m := range msgs {
		if !utf8.ValidString(m.Content) || !utf8.ValidString(m.Role) {
			return nil, fmt.Errorf("message %d (%q) is not valid UTF-8", i, m.Role)
		}
		messages[i] = map[string]any{"role": m.Role, "content": m.Content}
		if typed {
			messages[i]["content"] = []map[string]string{{"type": "text", "text": m.Content}}
		}
	}
	vars := map[string]any{
		"messages":              messages,
		"bos_token":             t.opt.BOS,
		"eos_token":             t.opt.EOS,
		"add_generation_prompt": opt.AddGenerationPrompt,
	}
	for _, name := range slices.Sorted(maps.Keys(opt.Extra)) {
		if _, taken := vars[name]; taken {
			return nil, fmt.Errorf("the variable %s cannot be set through Extra", name)
		}
		vars[name] = opt.Extra[name]
	}
	doc, err := json.Marshal(vars)
	if err != nil {
		return nil, fmt.Errorf("encode the template's variables: %w", err)
	}
	return doc, nil
}
