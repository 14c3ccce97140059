package peer

import (
	"context"
	"fmt"
)

// Token is a token id of the model's vocabulary.
type Token = int32

// CompletePath is where the server takes a CompletionRequest.
const CompletePath = "completion"

// CompletionRequest asks for tokens after a prompt of token ids.
type CompletionRequest struct {
	Prompt       []Token  `json:"prompt"`
	NPredict     int      `json:"n_predict"`
	IgnoreEOS    bool     `json:"ignore_eos"`
	CachePrompt  bool     `json:"cache_prompt"`
	Temperature  float64  `json:"temperature"`
	TopK         int      `json:"top_k"`
	Samplers     []string `json:"samplers"`
	ReturnTokens bool     `json:"return_tokens"`
	Stream       bool     `json:"stream"`
	Fields       []string `json:"response_fields"` // the answer without the prompt and all settings
}

// Completion is the part of the server's answer that is read.
type Completion struct {
	Tokens  []Token `json:"tokens"`
	Timings Timings `json:"timings"`
}

// Complete has the server generate n tokens after the prompt. It checks that the answer is to this prompt and has n tokens.
// With cache the server may reuse what it computed before. One sampler, which keeps the best token alone, leaves the
// server the least to do.
func (c *Client) Complete(ctx context.Context, prompt []Token, n int, cache bool) (Completion, error) {
	request := CompletionRequest{
		Prompt: prompt, NPredict: n, IgnoreEOS: true, CachePrompt: cache,
		TopK: 1, Samplers: []string{"top_k"}, ReturnTokens: true, Fields: []string{"tokens", "timings"},
	}
	var got Completion
	if err := c.post(ctx, CompletePath, request, &got); err != nil {
		return Completion{}, fmt.Errorf("a prompt of %d tokens: %w", len(prompt), err)
	}
	if len(got.Tokens) != n || got.Timings.Predicted != n {
		return Completion{}, fmt.Errorf("asked for %d tokens after a prompt of %d, the server gave %d and counted %d (is its context too small?)",
			n, len(prompt), len(got.Tokens), got.Timings.Predicted)
	}
	if had := got.Timings.Computed + got.Timings.Reused; had != len(prompt) {
		return Completion{}, fmt.Errorf("sent a prompt of %d tokens, the server counted %d (%d computed, %d reused)",
			len(prompt), had, got.Timings.Computed, got.Timings.Reused)
	}
	return got, nil
}
