package llama

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// templateProcess is the parent's end of a running worker.
type templateProcess struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	enc    *gob.Encoder
	dec    *gob.Decoder
	stderr *headBuffer
}

// exchange sends one request to the worker, started if there is none, and waits for its reply. After an error that is
// not the template's own the worker is gone. Needs t.turn.
func (t *Template) exchange(ctx context.Context, req templateRequest) (templateReply, error) {
	if t.worker == nil {
		if err := t.start(ctx); err != nil {
			return templateReply{}, err
		}
	}
	return t.talk(ctx, req)
}

// start runs a worker and has it parse the template.
func (t *Template) start(ctx context.Context) error {
	cmd := exec.Command(t.opt.Worker[0], t.opt.Worker[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("%w: start it: %w", ErrTemplateWorker, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("%w: start it: %w", ErrTemplateWorker, err)
	}
	w := &templateProcess{cmd: cmd, in: in, enc: gob.NewEncoder(in), dec: gob.NewDecoder(out), stderr: &headBuffer{}}
	cmd.Stderr = w.stderr
	cmd.WaitDelay = time.Second // should a process that the worker left behind hold its stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w: start it: %w", ErrTemplateWorker, err)
	}
	t.worker = w
	_, err = t.talk(ctx, templateRequest{
		Source:      t.source,
		Now:         t.opt.Now.Unix(),
		MemoryLimit: t.opt.MemoryLimit,
	})
	if err != nil {
		t.stop()
	}
	return err
}

// talk exchanges one request for its reply, and ends the worker when that fails.
func (t *Template) talk(ctx context.Context, req templateRequest) (templateReply, error) {
	w := t.worker
	var reply templateReply
	done := make(chan error, 1)
	go func() {
		if err := w.enc.Encode(req); err != nil {
			done <- err
			return
		}
		done <- w.dec.Decode(&reply)
	}()
	limit := time.NewTimer(t.opt.Limit)
	defer limit.Stop()
	select {
	case err := <-done:
		if err != nil {
			return templateReply{}, t.death(err)
		}
		return t.judge(reply)
	case <-limit.C:
		t.stop()
		_ = <-done // its error comes from the stop
		return templateReply{}, fmt.Errorf("%w within %v", ErrTemplateTimeout, t.opt.Limit)
	case <-ctx.Done():
		t.stop()
		_ = <-done // likewise
		return templateReply{}, ctx.Err()
	}
}

// judge turns a worker's report into an error.
func (t *Template) judge(reply templateReply) (templateReply, error) {
	switch reply.Failure {
	case "":
		return reply, nil
	case failedMemory:
		t.stop() // what is left of its memory may be fragmented
		return reply, t.memoryError()
	case failedSyntax, failedRender:
		return reply, newTemplateError(reply.Failure == failedSyntax, reply.Message)
	case failedDocument:
	}
	return reply, fmt.Errorf("the chat template's worker refused the %s: %s", reply.Failure, reply.Message)
}

// death ends a worker that no longer answers, and says why it does not.
func (t *Template) death(cause error) error {
	w := t.worker
	t.stop()
	said := w.stderr.String()
	for _, sign := range []string{"bad_alloc", "out of memory", "cannot allocate memory"} {
		if strings.Contains(said, sign) {
			return t.memoryError()
		}
	}
	state := "still running"
	if w.cmd.ProcessState != nil {
		state = w.cmd.ProcessState.String()
	}
	if strings.Contains(said, "SIGSEGV") {
		state += ", segmentation fault: a macro that calls itself without end overflows the stack"
	}
	if line := firstLine(said); line != "" {
		state += ": " + line
	}
	if !errors.Is(cause, io.EOF) && !errors.Is(cause, io.ErrUnexpectedEOF) {
		state += ": " + cause.Error()
	}
	return fmt.Errorf("%w (%s)", ErrTemplateWorker, state)
}

func (t *Template) memoryError() error {
	return fmt.Errorf("%w: the limit is %d MiB", ErrTemplateMemory, t.opt.MemoryLimit>>20)
}

// stop ends the worker, if there is one, and collects it. A worker keeps nothing, so killing it loses nothing.
func (t *Template) stop() {
	w := t.worker
	if w == nil {
		return
	}
	t.worker = nil
	// Errors say that it is gone already, or how it ended, which death reads from ProcessState.
	_ = w.cmd.Process.Kill()
	_ = w.in.Close()
	_ = w.cmd.Wait()
}

// newTemplateError takes the engine's message apart; it wraps the cause in lines that point into the source.
func newTemplateError(syntax bool, detail string) *TemplateError {
	e := &TemplateError{Syntax: syntax, Detail: strings.TrimSpace(detail)}
	const raised, failed = "Jinja Exception: ", "\nError: "
	if i := strings.Index(detail, raised); i >= 0 && !syntax {
		e.Raised = true
		e.Message = detail[i+len(raised):]
	} else if i := strings.LastIndex(detail, failed); i >= 0 {
		e.Message = detail[i+len(failed):]
	} else {
		e.Message = firstLine(detail)
	}
	e.Message = strings.TrimSpace(e.Message)
	return e
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// headBuffer keeps the first 4 KiB of what is written to it; a dying process states its cause first.
type headBuffer struct {
	mu  sync.Mutex
	buf []byte
}

func (b *headBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if room := 4096 - len(b.buf); room > 0 {
		b.buf = append(b.buf, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func (b *headBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.buf)
}
