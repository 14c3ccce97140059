package critic

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"

	"amend/engine"
	"amend/engine/chat"
)

// question asks for the next turn of a conversation. top_k and min_p are not OpenAI's: llama-server and vLLM know them, and
// have defaults of their own where they are left out. Others pass over them.
type question struct {
	Model            string         `json:"model"`
	Messages         []chat.Message `json:"messages"`
	MaxTokens        int            `json:"max_tokens"`
	Temperature      float64        `json:"temperature"`
	TopP             float64        `json:"top_p"`
	TopK             int            `json:"top_k"`
	MinP             float64        `json:"min_p"`
	FrequencyPenalty float64        `json:"frequency_penalty,omitempty"`
	PresencePenalty  float64        `json:"presence_penalty,omitempty"`
	Seed             uint64         `json:"seed"`
	Stop             []string       `json:"stop,omitempty"`
	Stream           bool           `json:"stream"`
}

// reply is the part of an answer that is read.
type reply struct {
	Choices []struct {
		Message struct {
			Content          string `json:"content"`
			ReasoningContent string `json:"reasoning_content"` // llama-server, vLLM, LM Studio
			Reasoning        string `json:"reasoning"`         // Ollama, newer vLLM
		} `json:"message"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Usage struct {
		Prompt  int `json:"prompt_tokens"`
		Written int `json:"completion_tokens"`
		Details struct {
			Cached int `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	} `json:"usage"`
}

// The reasons why a server ends a turn that amend can use.
const (
	finishedItself = "stop"
	finishedCut    = "length"
)

// write has the server write a turn.
func (s *Server) write(ctx context.Context, r *engine.Request) engine.Result {
	var got reply
	if err := s.ask(ctx, http.MethodPost, s.base.JoinPath("chat", "completions"), s.question(r), &got); err != nil {
		return engine.Result{Err: err}
	}
	out, err := got.result(r.MaxTokens)
	if err != nil {
		return engine.Result{Err: &refusedError{fmt.Sprintf("the server at %s %v", s.Address(), err)}}
	}
	return out
}

// question is a request as a server takes it. Seeds keep 31 bits, which all servers take for a number of their own.
func (s *Server) question(r *engine.Request) question {
	p := r.Sampling
	return question{
		Model: s.Model, Messages: chat.Messages{}.Read(r.Tokens), MaxTokens: r.MaxTokens,
		Temperature: p.Temperature, TopP: cmp.Or(p.TopP, 1), TopK: p.TopK, MinP: p.MinP,
		FrequencyPenalty: p.FrequencyPenalty, PresencePenalty: p.PresencePenalty,
		Seed: r.Seed & math.MaxInt32, Stop: r.Stop,
	}
}

// result is the turn that a server wrote. A thought that the server took out of it stands before it again, as a model
// writes it.
func (a *reply) result(limit int) (out engine.Result, err error) {
	if len(a.Choices) != 1 {
		return out, fmt.Errorf("gave %d answers, not one", len(a.Choices))
	}
	c := a.Choices[0]
	out = engine.Result{Text: c.Message.Content, Prompt: a.Usage.Prompt, Reused: a.Usage.Details.Cached, Decoded: a.Usage.Written}
	switch c.FinishReason {
	case finishedItself:
		out.End = engine.EndToken
	case finishedCut:
		out.End = engine.EndLength
	default:
		return out, fmt.Errorf("ended its answer by %q, and not by its end or at its limit", c.FinishReason)
	}
	thought := cmp.Or(c.Message.ReasoningContent, c.Message.Reasoning)
	if out.End == engine.EndLength && strings.TrimSpace(out.Text) == "" {
		return out, fmt.Errorf("gave no answer within %d tokens, of which it thought for all (%d characters): raise max-tokens, or turn its thinking off", limit, len(thought))
	}
	if thought != "" {
		tags := chat.Messages{}.Think()
		out.Text = tags.Open + "\n" + thought + "\n" + tags.Close + "\n\n" + out.Text
	}
	return out, nil
}
