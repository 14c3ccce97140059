package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// Client is the worker's side: what a handler may ask of the parent and tell it. Its methods may be called from many
// goroutines.
type Client struct {
	mu      sync.Mutex // of sending, and of waiting for the answer
	send    func(message) error
	receive func() answer
	log     *slog.Logger
}

// Log returns the logger that ends in the parent's.
func (c *Client) Log() *slog.Logger { return c.log }

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

// connect makes a client over a worker's two pipes, which reads what the parent answers. orphaned is called on a
// goroutine of its own when the parent is gone, whatever the job is doing: it is to end the process.
func connect(l link, level slog.Level, orphaned func()) *Client {
	answers := make(chan answer)
	go func() {
		for {
			var a answer
			if err := l.dec.Decode(&a); err != nil {
				orphaned()
				return
			}
			answers <- a
		}
	}()
	c := &Client{send: func(m message) error { return l.enc.Encode(m) }, receive: func() answer { return <-answers }}
	c.log = slog.New(&forwarder{client: c, level: level})
	return c
}
