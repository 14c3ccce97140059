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
)

// server is one path of an HTTP server that takes and answers JSON.
type server struct {
	endpoint string
	client   *http.Client
}

// newServer prepares up to concurrency requests at once to a path at address.
// No proxy is asked and no redirect followed: nothing but address is connected
// to.
func newServer(address, path string, concurrency int) (*server, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("its address: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("its address %q is not of the form http://HOST:PORT", address)
	}
	return &server{
		endpoint: u.JoinPath(path).String(),
		client: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: concurrency, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// close ends the connections that are kept for later requests.
func (s *server) close() { s.client.CloseIdleConnections() }

// post sends a request and decodes the answer.
func (s *server) post(ctx context.Context, request, answer any) (err error) {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("writing a request: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(r)
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

// eachRow has workers, numbered from 0, take the rows in order, each one at a
// time. The first failure stops them all and is returned.
func eachRow(ctx context.Context, rows, workers int, do func(ctx context.Context, worker, row int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	go func() {
		defer close(next)
		for i := range rows {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for row := range next {
				if err := do(ctx, worker, row); err != nil {
					cancel(err)
				}
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
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
