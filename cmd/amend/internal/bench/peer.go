package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"amend/cmd/amend/internal/workload"
)

// Peer runs the workload through a llama-server at address, whose prompt
// caching is on, and returns what that took as the variant called name. As many
// workers as concurrency each take a row and run its turns in order, so that a
// slot of the server keeps the row's prefix from turn to turn; a server with
// fewer slots lets the others wait.
//
// It fails when the server cannot be reached, answers with an error, or with
// anything else than the tokens asked for; the error names the row and the turn.
// Nothing but address is connected to.
func Peer(ctx context.Context, address, name string, w *workload.Workload, concurrency int) (Variant, error) {
	return runPeer(ctx, address, name, w, concurrency, true)
}

// PeerNoCache is Peer with the server's prompt caching off: it computes every
// prompt from its first token.
func PeerNoCache(ctx context.Context, address, name string, w *workload.Workload, concurrency int) (Variant, error) {
	return runPeer(ctx, address, name, w, concurrency, false)
}

func runPeer(ctx context.Context, address, name string, w *workload.Workload, concurrency int, cache bool) (Variant, error) {
	if concurrency < 1 {
		return Variant{}, fmt.Errorf("driving %s with %d requests at once: at least 1 is needed", name, concurrency)
	}
	p, err := newPeer(address, concurrency, cache)
	if err != nil {
		return Variant{}, fmt.Errorf("driving %s: %w", name, err)
	}
	defer p.client.CloseIdleConnections()
	start := time.Now()
	sum, err := p.run(ctx, w, concurrency)
	if err != nil {
		return Variant{}, fmt.Errorf("driving %s: %w", name, err)
	}
	return variant(name, len(w.Rows), sum.Predicted, sum.Computed, sum.Reused, time.Since(start)), nil
}

// peer is a llama-server that completes prompts.
type peer struct {
	endpoint string
	cache    bool
	client   *http.Client
}

func newPeer(address string, concurrency int, cache bool) (*peer, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("its address: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("its address %q is not of the form http://HOST:PORT", address)
	}
	return &peer{
		endpoint: u.JoinPath("completion").String(),
		cache:    cache,
		client: &http.Client{
			Transport: &http.Transport{MaxIdleConnsPerHost: concurrency, DisableCompression: true}, // and no proxy
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
	}, nil
}

// run hands the rows out to the workers. The first failure stops them all.
func (p *peer) run(ctx context.Context, w *workload.Workload, workers int) (timings, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	rows := make(chan int)
	go func() {
		defer close(rows)
		for i := range w.Rows {
			select {
			case rows <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	sums := make([]timings, workers)
	var wait sync.WaitGroup
	for i := range workers {
		wait.Go(func() {
			for row := range rows {
				if err := p.row(ctx, &w.Rows[row], &sums[i]); err != nil {
					cancel(fmt.Errorf("row %d, %w", row, err))
				}
			}
		})
	}
	wait.Wait()
	var sum timings
	for _, s := range sums {
		sum.add(s)
	}
	return sum, context.Cause(ctx)
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
	body, err := json.Marshal(completion{
		Prompt: prompt, NPredict: n, IgnoreEOS: true, CachePrompt: p.cache,
		TopK: 1, Samplers: []string{"top_k"}, ReturnTokens: true, Fields: []string{"tokens", "timings"},
	})
	if err != nil {
		return completed{}, fmt.Errorf("writing a request: %w", err)
	}
	var got completed
	if err := p.post(ctx, body, &got); err != nil {
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

// post sends body and decodes the answer into got.
func (p *peer) post(ctx context.Context, body []byte, got *completed) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	answer, err := io.ReadAll(response.Body) // all of it, so that the connection is used again
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s: %s", response.Status, message(answer))
	}
	if err := json.Unmarshal(answer, got); err != nil {
		return fmt.Errorf("the server's answer %q: %w", clip(answer), err)
	}
	return nil
}

// message is the text of an error that the server sent.
func message(answer []byte) string {
	var e struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(answer, &e) == nil && e.Error.Message != "" {
		return e.Error.Message
	}
	return string(clip(answer))
}

// clip keeps of an answer what an error message can show.
func clip(answer []byte) []byte { return answer[:min(len(answer), 300)] }
