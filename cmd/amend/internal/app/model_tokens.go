package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/chat"
)

// TokensConfig says which training set is written as token ids, and for which model.
type TokensConfig struct {
	Model    string `yaml:"model"`    // path or name
	Set      string `yaml:"set"`      // folder that amend export wrote as JSONL, or one such file
	Chat     string `yaml:"chat"`     // runner.ChatTemplate or runner.ChatPlain
	Template string `yaml:"template"` // path of a file with the template to use in place of the model's
}

// DefaultTokensConfig writes conversations as the model's own template does.
func DefaultTokensConfig() TokensConfig { return TokensConfig{Chat: runner.ChatTemplate} }

func (c TokensConfig) compute() runner.ComputeConfig {
	return runner.ComputeConfig{Chat: c.Chat, Template: c.Template}
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError.
func (c TokensConfig) Validate() error {
	err := c.compute().Validate()
	if c.Set == "" {
		err = errors.Join(err, failure.Missing("set", "a training set"))
	}
	return err
}

// Tokens writes the rows of a training set as token ids: the prompt as the model's template writes it, up to where the
// answer begins, and each answer with the token that ends it. Only the model's vocabulary is loaded.
func Tokens(ctx context.Context, env Env, c TokensConfig, out io.Writer) (err error) {
	if err := c.Validate(); err != nil {
		return err
	}
	model, err := runner.OpenVocabulary(ctx, c.Model, c.compute(), env.options(env.Log, env.today()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	files, err := setFiles(c.Set)
	if err != nil {
		return failure.Input(err)
	}
	buffered := bufio.NewWriter(out)
	for _, path := range files {
		if err := tokensOf(ctx, model.Format(), path, buffered); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return buffered.Flush()
}

// setFiles are the training files of a set: those of its split train, in their order.
func setFiles(path string) ([]string, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return []string{path}, err
	}
	files, err := filepath.Glob(filepath.Join(path, "data", "train-*.jsonl"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s has no data/train-*.jsonl: amend export --to jsonl writes them", path)
	}
	slices.Sort(files)
	return files, err
}

// tokensOf writes the rows of a file. What is wrong with a row is a failure.InputError.
func tokensOf(ctx context.Context, format *chat.Formatter, path string, out io.Writer) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return failure.Input(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	rows, enc := json.NewDecoder(f), json.NewEncoder(out)
	for n := 1; ; n++ {
		var in trainingRow
		if err := rows.Decode(&in); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return failure.Inputf("row %d: %w", n, err)
		}
		row, err := in.tokens(ctx, format)
		if err != nil {
			return failure.Inputf("row %d (%s): %w", n, in.ID, err)
		}
		if err := enc.Encode(row); err != nil {
			return err
		}
	}
}

// trainingRow is a row of a training set, in any of the forms that amend export writes.
type trainingRow struct {
	ID         string            `json:"id"`
	Messages   []trainingMessage `json:"messages"`
	Prompt     []trainingMessage `json:"prompt"`
	Completion []trainingMessage `json:"completion"`
	Chosen     []trainingMessage `json:"chosen"`
	Rejected   []trainingMessage `json:"rejected"`
	Label      *bool             `json:"label"`
	LabelProb  *float64          `json:"label_prob"`
}

type trainingMessage struct{ Role, Content string }

// tokenRow is a training row as token ids.
type tokenRow struct {
	ID         string         `json:"id"`
	Prompt     []engine.Token `json:"prompt_ids"`
	Completion []engine.Token `json:"completion_ids,omitempty"`
	Chosen     []engine.Token `json:"chosen_ids,omitempty"`
	Rejected   []engine.Token `json:"rejected_ids,omitempty"`
	Label      *bool          `json:"label,omitempty"`
	LabelProb  *float64       `json:"label_prob,omitempty"`
}

// split brings every form to one: a prompt, and answers.
func (r trainingRow) split() trainingRow {
	switch n := len(r.Messages); {
	case n > 0:
		r.Prompt, r.Completion = r.Messages[:n-1], r.Messages[n-1:]
	case len(r.Prompt) == 0 && len(r.Chosen) > 1: // a reward model's
		n := len(r.Chosen) - 1
		r.Prompt, r.Chosen, r.Rejected = r.Chosen[:n], r.Chosen[n:], r.Rejected[min(n, len(r.Rejected)):]
	}
	return r
}

// tokens is the row as token ids.
func (r trainingRow) tokens(ctx context.Context, format *chat.Formatter) (out tokenRow, err error) {
	r = r.split()
	out = tokenRow{ID: r.ID, Label: r.Label, LabelProb: r.LabelProb}
	var prompt []chat.Message
	for _, m := range r.Prompt {
		prompt = append(prompt, chat.Message{Role: chat.Role(m.Role), Text: m.Content})
	}
	c, err := format.Open(ctx, prompt)
	if err == nil {
		c, err = c.Answer()
	}
	if err != nil {
		return out, err
	}
	out.Prompt = c.Tokens
	for _, answer := range []struct {
		said []trainingMessage
		ids  *[]engine.Token
	}{{r.Completion, &out.Completion}, {r.Chosen, &out.Chosen}, {r.Rejected, &out.Rejected}} {
		if len(answer.said) == 0 {
			continue
		}
		if len(answer.said) != 1 || chat.Role(answer.said[0].Role) != chat.Assistant {
			return out, errors.New("an answer must be one message of the assistant's")
		}
		if *answer.ids, err = c.CompletionIDs(ctx, answer.said[0].Content); err != nil {
			return out, err
		}
	}
	if out.Completion == nil && (out.Chosen == nil || out.Rejected == nil) {
		return out, errors.New("it has neither messages, nor a completion, nor chosen and rejected answers")
	}
	return out, nil
}
