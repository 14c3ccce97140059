package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// command is a program in a process group of its own, so that Ctrl-C reaches it
// through ctx alone. When ctx ends it is asked to end, and killed after a while.
func command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// tail is a writer that keeps the end of what was written. It is safe for
// concurrent use.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 3000

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text) - tailBytes; n > 0 {
		t.text = append(t.text[:0], t.text[n:]...)
	}
	return len(p), nil
}

// String is the text, indented, from its first whole line on.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.text
	if len(text) == tailBytes {
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			text = text[i+1:]
		}
	}
	return "  " + strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n  ")
}

// server is a llama-server that runs.
type server struct {
	url   string
	pid   int
	slots int
	ctx   context.Context // ends with the server; its cause tells why
	stop  func()          // ends it and waits until it has
}

const startLimit = 5 * time.Minute // a large model from a slow disk

// startServer starts a llama-server on a free port and waits until it is ready.
func startServer(ctx context.Context, path string, args ...string) (*server, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	running, died := context.WithCancelCause(ctx)
	var log tail
	cmd := command(running, path, append(args, "--host", "127.0.0.1", "--port", fmt.Sprint(port))...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		died(nil)
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := cmd.Wait()
		if err == nil {
			err = errors.New("exit status 0")
		}
		died(fmt.Errorf("%s ended: %w. The last it said:\n%s", strings.Join(cmd.Args, " "), err, &log))
	}()
	s := &server{
		url: fmt.Sprintf("http://127.0.0.1:%d", port), pid: cmd.Process.Pid, ctx: running,
		stop: func() { died(nil); <-ended },
	}
	if s.slots, err = s.ready(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// freePort is a port that nothing listened on a moment ago.
func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// ready waits until the server has loaded its model and returns its slots.
func (s *server) ready() (slots int, err error) {
	ctx, cancel := context.WithTimeoutCause(s.ctx, startLimit, fmt.Errorf("the server was not ready after %v", startLimit))
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // and no proxy
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.get(ctx, client, "/health", nil) == nil {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	var props struct {
		Slots int `json:"total_slots"`
	}
	if err := s.get(ctx, client, "/props", &props); err != nil {
		return 0, fmt.Errorf("asking the server for its slots: %w", err)
	}
	if props.Slots < 1 {
		return 0, errors.New("the server does not say how many slots it has (total_slots in /props)")
	}
	return props.Slots, nil
}

// get reads a JSON answer into out, unless that is nil.
func (s *server) get(ctx context.Context, client *http.Client, path string, out any) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, response.Status)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(out)
}
