package cli

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
	"time"

	"github.com/spf13/cobra"

	"amend/engine"
	"amend/engine/chat"
	"amend/engine/llama"
)

// trainingRow is a row of a training set, in any of the forms that amend export writes.
type trainingRow struct {
	ID         string         `json:"id"`
	Messages   []chat.Message `json:"messages"`
	Prompt     []chat.Message `json:"prompt"`
	Completion []chat.Message `json:"completion"`
	Chosen     []chat.Message `json:"chosen"`
	Rejected   []chat.Message `json:"rejected"`
	Label      *bool          `json:"label"`
	LabelProb  *float64       `json:"label_prob"`
}

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

func newModelTokensCommand() *cobra.Command {
	o := modelFlags{gpuLayers: 0}
	cmd := &cobra.Command{
		Use:   "tokens MODEL SET",
		Short: "Write a training set as the token ids that amend makes of it",
		Long: `Write the rows of a training set, a folder that amend export wrote as JSONL or one such file, as token ids: the prompt
as the model's template writes it, up to where the answer begins, and each answer with the token that ends it. Who
trains on these ids trains on what amend will ask the model.`,
		Example: "  amend model tokens smollm2 sets/sft > sft.jsonl\n  amend model tokens big.gguf sets/dpo > dpo.jsonl",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.model, o.progress = args[0], progressNone
			if err := o.validate(); err != nil {
				return usage(err)
			}
			s := newSession(&o, noEngine(), cmd.ErrOrStderr())
			s.date = time.Now().UTC().Format(time.DateOnly)
			defer func() { err = errors.Join(err, s.close()) }()
			if err := s.openVocabulary(cmd.Context()); err != nil {
				return err
			}
			files, err := setFiles(args[1])
			if err != nil {
				return usage(err)
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			for _, path := range files {
				if err := s.tokensOf(cmd.Context(), path, out); err != nil {
					return usage(fmt.Errorf("%s: %w", path, err))
				}
			}
			return out.Flush()
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.chat, "chat", chatTemplate, "how conversations are written: template (the model's own) or plain (Human:/Assistant:, for base models)")
	f.StringVar(&o.template, "template", "", "a file with a Jinja chat template to use instead of the model's")
	return cmd
}

// openVocabulary loads the model without its weights, and prepares the way conversations are written down.
func (s *session) openVocabulary(ctx context.Context) error {
	file, err := resolveModel(s.flags.model)
	if err != nil {
		return err
	}
	s.file = file.Info()
	if s.model, err = llama.LoadModel(ctx, file.Path, llama.ModelParams{VocabOnly: true}); err != nil {
		return err
	}
	s.closers = append(s.closers, s.model.Close)
	return s.openFormat(ctx)
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

// tokensOf writes the rows of a file.
func (s *session) tokensOf(ctx context.Context, path string, out io.Writer) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines, enc := json.NewDecoder(f), json.NewEncoder(out)
	for n := 1; ; n++ {
		var in trainingRow
		if err := lines.Decode(&in); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
		row, err := s.tokenRow(ctx, in)
		if err != nil {
			return fmt.Errorf("row %d (%s): %w", n, in.ID, err)
		}
		if err := enc.Encode(row); err != nil {
			return err
		}
	}
}

func (s *session) tokenRow(ctx context.Context, in trainingRow) (out tokenRow, err error) {
	out = tokenRow{ID: in.ID, Label: in.Label, LabelProb: in.LabelProb}
	prompt := in.Prompt
	switch n := len(in.Messages); {
	case n > 0:
		prompt, in.Completion = in.Messages[:n-1], in.Messages[n-1:]
	case len(prompt) == 0 && len(in.Chosen) > 1: // a reward model's
		n := len(in.Chosen) - 1
		prompt, in.Chosen, in.Rejected = in.Chosen[:n], in.Chosen[n:], in.Rejected[min(n, len(in.Rejected)):]
	}
	c, err := s.format.Open(ctx, prompt)
	if err != nil {
		return out, err
	}
	out.Prompt = c.Tokens
	for _, answer := range []struct {
		said []chat.Message
		ids  *[]engine.Token
	}{{in.Completion, &out.Completion}, {in.Chosen, &out.Chosen}, {in.Rejected, &out.Rejected}} {
		if len(answer.said) == 0 {
			continue
		}
		if last := answer.said[0]; len(answer.said) != 1 || last.Role != chat.Assistant {
			return out, errors.New("an answer must be one message of the assistant's")
		}
		if *answer.ids, err = c.CompletionIDs(ctx, answer.said[0].Text); err != nil {
			return out, err
		}
	}
	if out.Completion == nil && (out.Chosen == nil || out.Rejected == nil) {
		return out, errors.New("it has neither messages, nor a completion, nor chosen and rejected answers")
	}
	return out, nil
}
