package llama

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// templateRequest is what a parent sends: first Source, Now and MemoryLimit, then a Document per render.
type templateRequest struct {
	Source      string
	Now         int64  // seconds since 1970
	MemoryLimit uint64 // bytes
	Document    []byte // JSON object
}

// templateReply answers one request.
type templateReply struct {
	Text    string
	Failure templateFailure
	Message string
}

// templateFailure is why a request failed; empty when it did not.
type templateFailure string

const (
	failedSyntax   templateFailure = "syntax"
	failedRender   templateFailure = "render"
	failedDocument templateFailure = "document"
	failedMemory   templateFailure = "memory"
)

// TemplateWorker serves a Template's requests from in to out until in ends, then returns nil, even in the middle of a
// render: the caller must then exit the process, so that a worker does not outlive its parent.
//
// It takes the process over: it sets TZ (strftime_now reads local time), limits the address space, and ignores the
// signals that a terminal or a supervisor sends to a whole process group, for the parent may still need it.
func TemplateWorker(in io.Reader, out io.Writer) error {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	debug.SetTraceback("none") // of a crash, the parent reports one line
	if err := os.Setenv("TZ", "UTC"); err != nil {
		return fmt.Errorf("template worker: set TZ: %w", err)
	}
	requests := make(chan templateRequest)
	ended := make(chan error, 1)
	go func() { ended <- receiveRequests(in, requests) }()
	failed := make(chan error, 1)
	go func() { failed <- serveRequests(requests, out) }()
	select {
	case err := <-ended:
		return err
	case err := <-failed:
		return err
	}
}

// receiveRequests decodes requests until in ends.
func receiveRequests(in io.Reader, requests chan<- templateRequest) error {
	dec := gob.NewDecoder(in)
	for {
		var req templateRequest
		err := dec.Decode(&req)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("template worker: read a request: %w", err)
		}
		requests <- req
	}
}

// serveRequests answers requests in order until one cannot be answered.
func serveRequests(requests <-chan templateRequest, out io.Writer) error {
	enc := gob.NewEncoder(out)
	setup := <-requests
	if err := limitMemory(setup.MemoryLimit); err != nil {
		return fmt.Errorf("template worker: limit its memory: %w", err)
	}
	tmpl, reply := parseJinja(setup.Source)
	if err := enc.Encode(reply); err != nil {
		return fmt.Errorf("template worker: write a reply: %w", err)
	}
	for req := range requests {
		if tmpl == nil {
			return errors.New("template worker: asked to render a template that did not parse")
		}
		if err := enc.Encode(tmpl.render(req.Document, setup.Now)); err != nil {
			return fmt.Errorf("template worker: write a reply: %w", err)
		}
	}
	return nil
}
