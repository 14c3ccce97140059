package bench

import (
	"context"
	"fmt"
	"time"

	"amend/cmd/amend/internal/workload"
)

// Peer runs the workload through a llama-server at address and returns what that
// took as the variant called name. With cache the server's prompt caching is on,
// without it computes every prompt from its first token. As many
// workers as concurrency each take a row and run its turns in order, so that a
// slot of the server keeps the row's prefix from turn to turn; a server with
// fewer slots lets the others wait.
//
// It fails when the server cannot be reached, answers with an error, or with
// anything else than the tokens asked for; the error names the row and the turn.
// Nothing but address is connected to.
func Peer(ctx context.Context, address, name string, w *workload.Workload, concurrency int, cache bool) (Variant, error) {
	if concurrency < 1 {
		return Variant{}, fmt.Errorf("driving %s with %d requests at once: at least 1 is needed", name, concurrency)
	}
	s, err := newServer(address, "completion", concurrency)
	if err != nil {
		return Variant{}, fmt.Errorf("driving %s: %w", name, err)
	}
	defer s.close()
	p := &peer{server: s, cache: cache}
	start := time.Now()
	sum, err := p.run(ctx, w, concurrency)
	if err != nil {
		return Variant{}, fmt.Errorf("driving %s: %w", name, err)
	}
	return variant(name, len(w.Rows), sum.Predicted, sum.Computed, sum.Reused, time.Since(start)), nil
}

// peer is a llama-server that completes prompts.
type peer struct {
	server *server
	cache  bool
}

// run hands the rows out to the workers. The first failure stops them all.
func (p *peer) run(ctx context.Context, w *workload.Workload, workers int) (timings, error) {
	sums := make([]timings, workers)
	err := eachRow(ctx, len(w.Rows), workers, func(ctx context.Context, worker, row int) error {
		if err := p.row(ctx, &w.Rows[row], &sums[worker]); err != nil {
			return fmt.Errorf("row %d, %w", row, err)
		}
		return nil
	})
	var sum timings
	for _, s := range sums {
		sum.add(s)
	}
	return sum, err
}

// row runs a row's turns and adds what they took to sum.
func (p *peer) row(ctx context.Context, r *workload.Row, sum *timings) error {
	outputs := make([][]workload.Token, len(r.Turns))
	for t, turn := range r.Turns {
		got, err := p.complete(ctx, r.Prompt(t, outputs), turn.Decode)
		if err != nil {
			return fmt.Errorf("turn %d: %w", t, err)
		}
		outputs[t] = got.Tokens
		sum.add(got.Timings)
	}
	return nil
}

// completion is a request to /completion. With one sampler that keeps the best
// token alone, the server has the least to do that it can have.
type completion struct {
	Prompt       []workload.Token `json:"prompt"`
	NPredict     int              `json:"n_predict"`
	IgnoreEOS    bool             `json:"ignore_eos"`
	CachePrompt  bool             `json:"cache_prompt"`
	Temperature  float64          `json:"temperature"`
	TopK         int              `json:"top_k"`
	Samplers     []string         `json:"samplers"`
	ReturnTokens bool             `json:"return_tokens"`
	Stream       bool             `json:"stream"`
	Fields       []string         `json:"response_fields"` // the answer without the prompt and all settings
}

// completed is what of its answer is read.
type completed struct {
	Tokens  []workload.Token `json:"tokens"`
	Timings timings          `json:"timings"`
}

// timings are the server's own counts, in tokens.
type timings struct {
	Computed  int `json:"prompt_n"`
	Reused    int `json:"cache_n"`
	Predicted int `json:"predicted_n"`
}

func (t *timings) add(more timings) {
	t.Computed += more.Computed
	t.Reused += more.Reused
	t.Predicted += more.Predicted
}

// complete has n tokens generated after the prompt, and checks that it was this
// prompt and these many.
func (p *peer) complete(ctx context.Context, prompt []workload.Token, n int) (completed, error) {
	request := completion{
		Prompt: prompt, NPredict: n, IgnoreEOS: true, CachePrompt: p.cache,
		TopK: 1, Samplers: []string{"top_k"}, ReturnTokens: true, Fields: []string{"tokens", "timings"},
	}
	var got completed
	if err := p.server.post(ctx, request, &got); err != nil {
		return completed{}, fmt.Errorf("a prompt of %d tokens: %w", len(prompt), err)
	}
	if len(got.Tokens) != n || got.Timings.Predicted != n {
		return completed{}, fmt.Errorf("asked for %d tokens after a prompt of %d, the server gave %d and counted %d (is its context too small?)",
			n, len(prompt), len(got.Tokens), got.Timings.Predicted)
	}
	if had := got.Timings.Computed + got.Timings.Reused; had != len(prompt) {
		return completed{}, fmt.Errorf("sent a prompt of %d tokens, the server counted %d (%d computed, %d reused)",
			len(prompt), had, got.Timings.Computed, got.Timings.Reused)
	}
	return got, nil
}
