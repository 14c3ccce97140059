package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
)

// Client is the worker's side: what a handler may ask of the parent and tell it. Its methods may be called from many
// goroutines.
type Client struct {
	mu      sync.Mutex // of sending, and of waiting for the answer
	send    func(message) error
	receive func() answer
	log     *slog.Logger
	closers []func() error
}

// Log returns the logger that ends in the parent's.
func (c *Client) Log() *slog.Logger { return c.log }

// AtEnd has the worker close something when the job is over, the last first. The parent has the result by then: C code that
// dies while it frees memory does not lose it.
func (c *Client) AtEnd(closer func() error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closers = append(c.closers, closer)
}

// closeAll closes what was opened.
func (c *Client) closeAll() error {
	var errs []error
	for _, closer := range slices.Backward(c.closers) {
		errs = append(errs, closer())
	}
	return errors.Join(errs...)
}

// Begin tells the parent that a unit is under way.
func (c *Client) Begin(unit string) error {
	return c.tell(message{Kind: begin, Unit: unit})
}

// Notify tells the parent something on a topic. It does not wait.
func (c *Client) Notify(topic string, body []byte) error {
	return c.tell(message{Kind: notify, Name: topic, Body: body})
}

// tell sends what needs no answer.
func (c *Client) tell(m message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.send(m); err != nil {
		return fmt.Errorf("telling the parent process: %w", err)
	}
	return nil
}

// call sends a message and waits for its answer.
func (c *Client) call(m message) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.send(m); err != nil {
		return nil, fmt.Errorf("calling %s of the parent process: %w", m.Name, err)
	}
	a := c.receive()
	if a.Failed {
		return nil, errors.New(a.Text)
	}
	return a.Body, nil
}

// connect makes a client over a worker's two pipes, which reads what the parent answers. stop is called when the parent
// says that the worker is to end. orphaned is called when the parent is gone, whatever the job is doing: it is to end the
// process. Both are called on a goroutine of their own.
func connect(l link, level slog.Level, stop func(Signal), orphaned func()) *Client {
	answers := make(chan answer)
	go func() {
		for {
			var a answer
			if err := l.dec.Decode(&a); err != nil {
				orphaned()
				return
			}
			if a.Stop != 0 {
				stop(Signal{a.Stop})
				continue
			}
			answers <- a
		}
	}()
	c := &Client{send: func(m message) error { return l.enc.Encode(m) }, receive: func() answer { return <-answers }}
	c.log = slog.New(&forwarder{client: c, level: level})
	return c
}
