// Package peer is a client of llama-server, which amend is measured against. It is amend's only use of the network: it
// connects to the address that it is given and to nothing else.
package peer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Client sends requests to one llama-server. Many goroutines may use it at once.
type Client struct {
	address *url.URL
	http    *http.Client
}

// New prepares up to concurrency requests at once to a server at address, http://HOST:PORT. It asks no proxy and follows no
// redirect. The caller calls Close.
func New(address string, concurrency int) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("its address: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("its address %q is not of the form http://HOST:PORT", address)
	}
	return &Client{address: u, http: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: concurrency, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close ends the connections that are kept for later requests.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Timings are the server's own counts, in tokens.
type Timings struct {
	Computed  int `json:"prompt_n"`
	Reused    int `json:"cache_n"`
	Predicted int `json:"predicted_n"`
}

// Add adds the counts of another request.
func (t *Timings) Add(more Timings) {
	t.Computed += more.Computed
	t.Reused += more.Reused
	t.Predicted += more.Predicted
}

// post sends a request to a path and decodes the answer.
func (c *Client) post(ctx context.Context, path string, request, answer any) (err error) {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("writing a request: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	got, err := io.ReadAll(response.Body) // all of it, so that the connection is used again
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s: %s", response.Status, message(got))
	}
	if err := json.Unmarshal(got, answer); err != nil {
		return fmt.Errorf("the server's answer %q: %w", clip(got), err)
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

// clip keeps the part of an answer that an error message can show.
func clip(answer []byte) []byte { return answer[:min(len(answer), 300)] }
