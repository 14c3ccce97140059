package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"time"

	"amend/cmd/amend/internal/failure"
	"amend/engine/chat"
	"amend/engine/llama"
)

// HasTemplate reports whether the model's file carries a chat template.
func (m *Model) HasTemplate() bool {
	_, ok := m.model.ChatTemplate("")
	return ok
}

// OpenFormat prepares the way conversations are written for a model that Load or LoadVocabulary returned.
func (m *Model) OpenFormat(ctx context.Context) error {
	if m.compute.Chat == ChatPlain {
		return m.newFormatter(ctx, chat.Plain{})
	}
	source, err := m.templateSource()
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(source))
	m.templateSHA = hex.EncodeToString(sum[:])
	m.think, _ = chat.TagsFor(source)
	t, err := m.startTemplate(source)
	if err != nil {
		return err
	}
	m.closers = append(m.closers, t.Close)
	return m.newFormatter(ctx, chat.NewTemplate(NewRenderer(t), m.think))
}

// templateSource is the text of the chat template: of a file, or the model's own.
func (m *Model) templateSource() (string, error) {
	if path := m.compute.Template; path != "" {
		source, err := ReadTemplate(path)
		return source, failure.Input(err)
	}
	source, ok := m.model.ChatTemplate("")
	if !ok {
		return "", NoTemplate(m.info.Path)
	}
	return source, nil
}

// ReadTemplate reads a chat template from a file: Jinja, or JSON that holds it.
func ReadTemplate(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the chat template: %w", err)
	}
	source, err := chat.Source(data)
	if err != nil {
		return "", fmt.Errorf("the chat template %s: %w", path, err)
	}
	return source, nil
}

// NoTemplate is the error for a model without a chat template.
func NoTemplate(path string) error {
	return &failure.FieldError{Field: "template", Want: fmt.Sprintf("is needed: %s carries no chat template; give a file, or chat plain for a base model", path)}
}

// startTemplate starts the process that renders a chat template.
func (m *Model) startTemplate(source string) (*llama.Template, error) {
	now, err := time.Parse(time.DateOnly, m.options.Date)
	if err != nil {
		return nil, fmt.Errorf("the date that the chat template is to show: %w", err)
	}
	v := m.model.Vocab()
	t, err := llama.NewTemplate(source, llama.TemplateOptions{
		Worker: m.options.TemplateWorker, BOS: tokenText(v, v.BOS()), EOS: tokenText(v, v.EOS()), Now: now,
	})
	return t, failure.Input(err)
}

func tokenText(v *llama.Vocab, t llama.Token) string {
	if t == llama.NoToken {
		return ""
	}
	return v.Text(t)
}

func (m *Model) newFormatter(ctx context.Context, l chat.Framer) (err error) {
	if m.vocab, err = NewVocab(m.model.Vocab(), m.think); err != nil {
		return err
	}
	m.format, err = chat.NewFormatter(ctx, l, m.vocab)
	return failure.Input(err)
}
