package critic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"amend/cmd/amend/internal/failure"
)

const (
	// mostPatience is how long a server may take for one turn: a large model on a CPU writes a token a second, several rows
	// at once.
	mostPatience = 30 * time.Minute
	// openPatience is how long it may take to say which models it has, which it need not compute.
	openPatience = 30 * time.Second
	// mostBytes is the longest answer that is read.
	mostBytes = 64 << 20
	// defaultSlots is how many turns are asked for at once where a server does not say how many it writes at once.
	defaultSlots = 4
)

// Server is a chat server with the model that writes. Many goroutines may use it at once.
type Server struct {
	// Model is the model's name, as the server reports it.
	Model string
	// Slots is how many turns the server writes at once: what llama-server says of itself, else 4.
	Slots int

	base *url.URL
	http *http.Client
}

// Open asks the server at an address for its models, and takes the one of this name; an empty name takes the only one. The
// caller calls Close. An error is a *failure.InputError where the address or the name is wrong, and a
// *failure.StoppedError where the server is not there, or not ready.
func Open(ctx context.Context, address, name string) (*Server, error) {
	return open(ctx, address, name, openPatience)
}

// open is Open with another patience.
func open(ctx context.Context, address, name string, patience time.Duration) (*Server, error) {
	base, err := ParseAddress(address)
	if err != nil {
		return nil, failure.Inputf("the address %s %w", address, err)
	}
	s := &Server{base: base, http: newClient(patience)}
	if s.Model, err = s.choose(ctx, name); err != nil {
		return nil, err
	}
	s.Slots = s.slots(ctx)
	s.http.Timeout = mostPatience // nothing else uses it yet
	return s, nil
}

// Close ends the connections that are kept for later requests.
func (s *Server) Close() error {
	s.http.CloseIdleConnections()
	return nil
}

// Address is where the server is.
func (s *Server) Address() string { return s.base.String() }

// choose returns the model's name as the server reports it.
func (s *Server) choose(ctx context.Context, name string) (string, error) {
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := s.ask(ctx, http.MethodGet, s.base.JoinPath("models"), nil, &list); err != nil {
		var refused *refusedError
		if errors.As(err, &refused) {
			return "", failure.Input(err)
		}
		return "", err
	}
	var names []string
	for _, m := range list.Data {
		names = append(names, m.ID)
	}
	switch {
	case len(names) == 0:
		return "", failure.Inputf("the server at %s has no model: load one there", s.Address())
	case name == "" && len(names) == 1:
		return names[0], nil
	case name == "":
		return "", failure.Inputf("the server at %s has %d models: choose one by critic-url-model, of %s", s.Address(), len(names), strings.Join(names, ", "))
	case !slices.Contains(names, name):
		return "", failure.Inputf("the server at %s has no model %s: it has %s", s.Address(), name, strings.Join(names, ", "))
	}
	return name, nil
}

// slots asks llama-server how many turns it writes at once. Others do not know the question.
func (s *Server) slots(ctx context.Context) int {
	root := *s.base
	root.Path = "/props"
	var props struct {
		Slots int `json:"total_slots"`
	}
	if err := s.ask(ctx, http.MethodGet, &root, nil, &props); err != nil || props.Slots < 1 {
		return defaultSlots
	}
	return props.Slots
}

// ask sends a request and decodes the answer. Its error is a *refusedError where the server takes this request for wrong,
// and else ends the run: a *failure.StoppedError, a *failure.InputError, or that of ctx.
func (s *Server) ask(ctx context.Context, method string, at *url.URL, request, answer any) (err error) {
	var body io.Reader
	if request != nil {
		text, err := json.Marshal(request)
		if err != nil {
			return fmt.Errorf("writing a request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, at.String(), body)
	if err != nil {
		return fmt.Errorf("writing a request: %w", err)
	}
	if request != nil {
		r.Header.Set("Content-Type", "application/json")
		r.Header["Idempotency-Key"] = nil // not sent: on a connection that the server has closed meanwhile, the request is sent again
	}
	response, err := s.http.Do(r)
	if err != nil {
		return s.unreached(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(io.LimitReader(response.Body, mostBytes)) // all of it, so that the connection is used again
	if err != nil {
		return s.unreached(ctx, err)
	}
	if response.StatusCode != http.StatusOK {
		return s.answered(response, got)
	}
	if err := json.Unmarshal(got, answer); err != nil {
		return failure.Inputf("%s answered %q, which is not what a chat server answers: is it the address of an OpenAI-compatible server? These mostly end in %s", at, clip(got), defaultPath)
	}
	return nil
}

// sameCommand is the remedy where nothing is wrong with the run.
const sameCommand = "what is done is kept, and the same command continues"

// unreached is the error of a request that got no answer.
func (s *Server) unreached(ctx context.Context, err error) error {
	var timeout interface{ Timeout() bool }
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errElsewhere):
		return failure.Inputf("the host %s does not lead to this machine, where prompts and answers stay: give 127.0.0.1 or [::1] (%w)", s.base.Hostname(), err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return failure.Stopped(fmt.Errorf("the server at %s gave no answer in %v: it hangs, or has more to do than it can; look at its log, and lower parallel or max-tokens; %s", s.Address(), s.http.Timeout, sameCommand))
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // without the address a second time
	}
	return failure.Stopped(fmt.Errorf("the server at %s cannot be reached (%w): start it; %s", s.Address(), err, sameCommand))
}

// answered is the error of an answer that is not 200.
func (s *Server) answered(r *http.Response, body []byte) error {
	said := fmt.Sprintf("the server at %s answered %s: %s", s.Address(), r.Status, message(body))
	switch code := r.StatusCode; {
	case code >= 300 && code < 400:
		return failure.Inputf("the server at %s answered %s and sends on to %s: amend follows no redirect; give the address of the chat server itself", s.Address(), r.Status, r.Header.Get("Location"))
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return failure.Inputf("%s; it wants a key, and amend sends none: start it without one", said)
	case code == http.StatusNotFound || code == http.StatusMethodNotAllowed:
		return failure.Inputf("%s; is this the address of an OpenAI-compatible server, and does it still have the model? Addresses mostly end in %s", said, defaultPath)
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code > http.StatusInternalServerError:
		return failure.Stopped(fmt.Errorf("%s; it is not ready, or has too much to do: wait, or lower parallel; %s", said, sameCommand))
	}
	return &refusedError{said + "; if the conversation is too long for it, start it with a longer context or lower max-tokens, and do the failed rows again (retry-failed)"}
}

// refusedError is the failure of one request, while others may succeed.
type refusedError struct{ text string }

// Error says what the server said, and what helps.
func (e *refusedError) Error() string { return e.text }

// message is the text of an error that a server sent: in OpenAI's form, or another one's.
func message(answer []byte) string {
	var e struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(answer, &e) != nil || len(e.Error) == 0 {
		return string(clip(answer))
	}
	var inner struct {
		Message string `json:"message"`
	}
	var text string
	switch {
	case json.Unmarshal(e.Error, &inner) == nil && inner.Message != "":
		return inner.Message
	case json.Unmarshal(e.Error, &text) == nil:
		return text
	}
	return string(clip(answer))
}

// clip keeps the part of an answer that an error message can show.
func clip(answer []byte) []byte { return answer[:min(len(answer), 300)] }
