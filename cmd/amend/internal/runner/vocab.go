package runner

import (
	"context"
	"errors"
	"fmt"

	"amend/engine"
	"amend/engine/chat"
	"amend/engine/llama"
)

// Vocab is the engine's and chat's view of a model's vocabulary. It is used by
// one goroutine at a time.
type Vocab struct {
	v *llama.Vocab
	// shown are control tokens that are part of a turn: the marks around a
	// thinking model's thoughts. Any other control token ends the turn.
	shown map[engine.Token]bool
	// pieces and ends are what was asked for before: a decode step asks for a
	// token of every row, and a call into C allocates.
	pieces [][]byte
	ends   []int8 // 1 yes, −1 no, 0 not asked
}

// NewVocab returns the view. think are the marks that the model's template
// puts around thoughts.
func NewVocab(v *llama.Vocab, think chat.ThinkTags) (*Vocab, error) {
	out := &Vocab{v: v, shown: map[engine.Token]bool{}, pieces: make([][]byte, v.Size()), ends: make([]int8, v.Size())}
	for _, mark := range []string{think.Open, think.Close} {
		ids, err := v.Tokenize(mark, false, true)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if v.IsControl(id) && !v.IsEOG(id) {
				out.shown[id] = true
			}
		}
	}
	return out, nil
}

// Piece implements engine.Vocab and chat.Tokenizer. The bytes are not to be
// changed.
func (v *Vocab) Piece(t engine.Token) []byte {
	if t < 0 || int(t) >= len(v.pieces) {
		return nil
	}
	if v.pieces[t] == nil {
		if v.pieces[t] = v.v.Piece(t, v.shown[t]); v.pieces[t] == nil {
			v.pieces[t] = []byte{}
		}
	}
	return v.pieces[t]
}

// Exact is the text of tokens, with that of control tokens.
func (v *Vocab) Exact(tokens []engine.Token) string {
	var text []byte
	for _, t := range tokens {
		text = append(text, v.v.Piece(t, true)...)
	}
	return string(text)
}

// Ends implements engine.Vocab: an end-of-generation token, or any control
// token that has no place inside a turn.
func (v *Vocab) Ends(t engine.Token) bool {
	if t < 0 || int(t) >= len(v.ends) {
		return false
	}
	if v.ends[t] == 0 {
		v.ends[t] = -1
		if v.v.IsEOG(t) || (v.v.IsControl(t) && !v.shown[t]) {
			v.ends[t] = 1
		}
	}
	return v.ends[t] > 0
}

// Tokenize implements chat.Tokenizer.
func (v *Vocab) Tokenize(text string, special, after bool) ([]engine.Token, error) {
	if after {
		return v.v.TokenizeContinuation(text, special)
	}
	return v.v.Tokenize(text, false, special)
}

// Control implements chat.Tokenizer.
func (v *Vocab) Control(t engine.Token) bool { return v.v.IsControl(t) }

// BOS implements chat.Tokenizer.
func (v *Vocab) BOS() engine.Token {
	if !v.v.AddBOS() {
		return llama.NoToken
	}
	return v.v.BOS()
}

// Renderer renders a model's chat template with thinking turned off where it
// offers that.
type Renderer struct {
	t   *llama.Template
	off map[string]any
}

// NewRenderer returns a chat.Renderer over a template.
func NewRenderer(t *llama.Template) *Renderer {
	return &Renderer{t: t, off: chat.ThinkingOff(t.Source())}
}

// Render implements chat.Renderer.
func (r *Renderer) Render(ctx context.Context, msgs []chat.Message) (string, error) {
	in := make([]llama.TemplateMessage, len(msgs))
	for i, m := range msgs {
		in[i] = llama.TemplateMessage{Role: string(m.Role), Content: m.Text}
	}
	text, err := r.t.Render(ctx, in, llama.RenderOptions{AddGenerationPrompt: true, Extra: r.off})
	if errors.Is(err, llama.ErrTemplateTimeout) || errors.Is(err, llama.ErrTemplateMemory) || errors.Is(err, llama.ErrTemplateWorker) {
		return "", fmt.Errorf("%w: %w", chat.ErrRenderer, err)
	}
	return text, err
}
