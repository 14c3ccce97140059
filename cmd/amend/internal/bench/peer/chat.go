package peer

import (
	"context"
	"fmt"

	"amend/engine/chat"
)

// ChatPath is where the server takes a ChatRequest.
const ChatPath = "v1/chat/completions"

// ChatRequest asks for the next turn of a conversation, with llama-server's own parameters. NewChatRequest makes one.
type ChatRequest struct {
	Messages    []chat.Message `json:"messages"`
	MaxTokens   int            `json:"max_tokens"`
	Temperature float64        `json:"temperature"`
	TopK        int            `json:"top_k"`
	Samplers    []string       `json:"samplers"`
	Seed        uint32         `json:"seed"`
	CachePrompt bool           `json:"cache_prompt"`
	Stream      bool           `json:"stream"`
}

// NewChatRequest asks for a turn of at most maxTokens, with prompt caching. The samplers are those that amend has by
// default: the temperature alone, or at 0 the likeliest token, which leaves the server the least to do.
func NewChatRequest(messages []chat.Message, maxTokens int, temperature float64, seed uint32) ChatRequest {
	r := ChatRequest{
		Messages: messages, MaxTokens: maxTokens, Temperature: temperature,
		TopK: 1, Samplers: []string{"top_k"}, Seed: seed, CachePrompt: true,
	}
	if temperature > 0 {
		r.TopK, r.Samplers = 0, []string{"temperature"}
	}
	return r
}

// Turn is what the server said next.
type Turn struct {
	Text     string
	Ended    bool // by the model, before the limit
	Timings  Timings
	Drafted  int // tokens that the server guessed
	Accepted int // of Drafted
}

// chatAnswer is the part of the server's answer that is read.
type chatAnswer struct {
	Choices []struct {
		Message struct {
			Content string `json:"content"`
		} `json:"message"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Timings struct {
		Timings
		Drafted  int `json:"draft_n"` // where the server guesses tokens
		Accepted int `json:"draft_n_accepted"`
	} `json:"timings"`
}

// Chat has the server say one turn. A turn that was cut before its limit is an error.
func (c *Client) Chat(ctx context.Context, r ChatRequest) (Turn, error) {
	var got chatAnswer
	if err := c.post(ctx, ChatPath, r, &got); err != nil {
		return Turn{}, err
	}
	return got.turn(r.MaxTokens)
}

// turn checks that the answer is what was asked for.
func (a *chatAnswer) turn(maxTokens int) (Turn, error) {
	n := a.Timings.Predicted
	if len(a.Choices) != 1 || n < 1 {
		return Turn{}, fmt.Errorf("the server gave %d answers and counted %d tokens, in place of 1 answer of at least 1 (is it a llama-server?)", len(a.Choices), n)
	}
	c := a.Choices[0]
	ended := c.FinishReason == "stop"
	if n > maxTokens || (!ended && n < maxTokens) {
		return Turn{}, fmt.Errorf("asked for up to %d tokens, the server counted %d and ended by %q (is its context too small?)", maxTokens, n, c.FinishReason)
	}
	return Turn{Text: c.Message.Content, Ended: ended, Timings: a.Timings.Timings, Drafted: a.Timings.Drafted, Accepted: a.Timings.Accepted}, nil
}
