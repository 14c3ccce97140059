//go:build unix

package worker

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"testing"
)

// mode, in a process's environment, makes the test binary another process of the tests.
const mode = "WORKER_TEST"

const (
	asWorker = "worker"
	asParent = "parent" // startParent
)

// TestMain makes the test binary also the worker: a stand-in for an engine.
func TestMain(m *testing.M) {
	switch os.Getenv(mode) {
	case asWorker:
		ctx, stop := WithSignals(context.Background(), func() {})
		defer stop()
		if err := Main(ctx, handlers(), encodeError); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case asParent:
		mainOfParent()
	}
	os.Exit(m.Run())
}

// handlers are the jobs of the tests.
func handlers() map[string]Handler {
	return map[string]Handler{
		"units": doUnits, "early": dieEarly, "one": dieAfterOne, "cut": cutOff, "late": dieLate, "echo": echo, "fail": fail,
		"ask": ask, "log": logSome, "wait": wait, "stubborn": stubborn, "hang": hang, "end": endOne, "leave": leaveBehind, "forgetful": forgetAlone, "loud": loud, "closing": dieClosing, "deaf": deaf, "told": told, "twice": twice,
	}
}

// wrongField is an error about a setting.
type wrongField struct{ field, text string }

func (e wrongField) Error() string { return e.text }

// encodeError makes the tests' errors travel.
func encodeError(err error) *Failure {
	f := &Failure{Text: err.Error()}
	var field wrongField
	switch {
	case errors.Is(err, context.Canceled):
		f.Kind = "stopped"
	case errors.As(err, &field):
		f.Kind, f.Field, f.Detail = "field", field.field, "in detail"
	}
	return f
}

// die ends the process by a signal.
func die(sig syscall.Signal) {
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		os.Exit(42)
	}
	select {}
}

// opening is what a worker is told when it begins.
type opening struct {
	Life int      // how many workers opened before this one
	Done []string // units that need not be done
}

// script is the payload of the job "units".
type script struct {
	Units  int
	AtMost int            // units at once, as long as the limits allow that
	Deadly map[string]int // units that end their worker, by which signal
	Killed int            // units at once from which the worker is killed for want of memory; 0: never
}

// doUnits does the units that are not done, those that are to run alone first, and returns how many it did.
func doUnits(_ context.Context, job Job, c *Client) ([]byte, error) {
	var s script
	if err := decode(job.Payload, &s); err != nil {
		return nil, err
	}
	open, err := Call[opening](c, "open", Nothing{})
	if err != nil {
		return nil, err
	}
	var batches [][]string
	var rest []string
	for i := range s.Units {
		unit := fmt.Sprint("unit", i)
		switch {
		case slices.Contains(open.Done, unit):
		case slices.Contains(job.Limits.Alone, unit):
			batches = append(batches, []string{unit})
		default:
			rest = append(rest, unit)
		}
	}
	if most := job.Limits.AtMost; most > 0 {
		s.AtMost = min(s.AtMost, most)
	}
	batches = slices.AppendSeq(batches, slices.Chunk(rest, s.AtMost))
	done := 0
	for _, units := range batches {
		if err := s.work(c, units); err != nil {
			return nil, err
		}
		done += len(units)
	}
	return fmt.Appendf(nil, "%d in %d batches", done, len(batches)), nil
}

// work begins some units, then finishes them.
func (s script) work(c *Client, units []string) error {
	for _, u := range append(units, units[0]) { // one that begins twice is under way once
		if err := c.Begin(u); err != nil {
			return err
		}
	}
	if s.Killed > 0 && len(units) >= s.Killed {
		die(syscall.SIGKILL)
	}
	for _, u := range units {
		if sig := syscall.Signal(s.Deadly[u]); sig != 0 {
			fmt.Fprint(os.Stderr, "GGML_ASSERT(n < 3) failed") // a last line without its end
			die(sig)
		}
		if _, err := CallEnding[Nothing](c, "append", u, u); err != nil {
			return err
		}
	}
	return nil
}

func dieEarly(context.Context, Job, *Client) ([]byte, error) {
	die(syscall.SIGABRT)
	return nil, nil
}

// dieAfterOne finishes a unit and dies. So many workers as the payload says die at once after that, and the next ends.
func dieAfterOne(_ context.Context, job Job, c *Client) ([]byte, error) {
	open, err := Call[opening](c, "open", Nothing{})
	if err != nil {
		return nil, err
	}
	switch {
	case open.Life == 0:
		if err := (script{}).work(c, []string{"unit0"}); err != nil {
			return nil, err
		}
		die(syscall.SIGABRT)
	case open.Life <= int(job.Payload[0]):
		die(syscall.SIGABRT)
	}
	return []byte("done"), nil
}

// cutOff dies in the middle of its last message.
func cutOff(context.Context, Job, *Client) ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(message{Kind: final, Body: bytes.Repeat([]byte("whole"), 1000)}); err != nil {
		return nil, err
	}
	if _, err := syscall.Write(toParent, b.Bytes()[:b.Len()-1]); err != nil {
		return nil, err
	}
	die(syscall.SIGABRT)
	return nil, nil
}

// dieLate dies after its last message, as C's destructors may.
func dieLate(_ context.Context, _ Job, c *Client) ([]byte, error) {
	if err := c.tell(message{Kind: final, Body: []byte("whole")}); err != nil {
		return nil, err
	}
	die(syscall.SIGSEGV)
	return nil, nil
}

// dieClosing dies while it closes what it opened.
func dieClosing(_ context.Context, _ Job, c *Client) ([]byte, error) {
	c.AtEnd(func() error {
		die(syscall.SIGABRT)
		return nil
	})
	return []byte("whole"), nil
}

// echo has the parent send back all that it gets, several calls at once, and returns its payload backwards.
func echo(_ context.Context, job Job, c *Client) ([]byte, error) {
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			for range 100 {
				errs[i] = errors.Join(errs[i], echoOne(c, []byte{byte(i)}))
			}
			errs[i] = errors.Join(errs[i], echoOne(c, append([]byte{byte(i)}, job.Payload...)))
		})
	}
	all.Wait()
	out := slices.Clone(job.Payload)
	slices.Reverse(out)
	return out, errors.Join(errs...)
}

func echoOne(c *Client, args []byte) error {
	if err := errors.Join(c.Begin(fmt.Sprint("unit", args[0])), c.Notify("echo", args[:1])); err != nil {
		return err
	}
	c.Log().Debug("echo", "of", args[0])
	reply, err := CallEnding[[]byte](c, "echo", args, fmt.Sprint("unit", args[0]))
	if err != nil {
		return err
	}
	if !bytes.Equal(reply, args) {
		return fmt.Errorf("call %d got another reply", args[0])
	}
	return nil
}

func fail(_ context.Context, job Job, _ *Client) ([]byte, error) {
	return []byte("not to be seen"), wrongField{field: "top-k", text: string(job.Payload)}
}

// ask returns what the parent says of a method that fails and of one that it has not.
func ask(_ context.Context, _ Job, c *Client) ([]byte, error) {
	_, refused := Call[Nothing](c, "refuse", "a unit")
	_, unknown := Call[Nothing](c, "no such method", "a unit")
	list, err := Call[[]string](c, "list", 2) // calls go on after an error
	return fmt.Appendf(nil, "%v; %v; %q", refused, unknown, list), err
}

func logSome(_ context.Context, _ Job, c *Client) ([]byte, error) {
	log := c.Log()
	log.Debug("not asked for")
	log.Info("running", "model", "testbed", "rows", 3)
	log.With("model", "testbed").WithGroup("kv").Warn("full", "cells", 7)
	return nil, nil
}

// wait waits with a unit under way until it is told to end.
func wait(ctx context.Context, _ Job, c *Client) ([]byte, error) {
	if err := errors.Join(c.Begin("unit0"), c.Notify("waiting", nil)); err != nil {
		return nil, err
	}
	<-ctx.Done()
	return nil, fmt.Errorf("told by %w: %w", context.Cause(ctx), ctx.Err())
}

// deaf is sent the signals of a terminal, and goes on until its parent tells it to end.
func deaf(ctx context.Context, job Job, c *Client) ([]byte, error) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGINT} {
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			return nil, err
		}
	}
	group, err := syscall.Getpgid(os.Getppid())
	if err != nil {
		return nil, err
	}
	if mine := syscall.Getpgrp(); group != mine {
		return nil, fmt.Errorf("the worker is of process group %d, its parent of %d: a terminal stops one of them", mine, group)
	}
	return wait(ctx, job, c)
}

// told dies by a signal that asks it to end.
func told(context.Context, Job, *Client) ([]byte, error) {
	signal.Reset(syscall.SIGTERM)
	die(syscall.SIGTERM)
	return nil, nil
}

// twice is told to end by two signals of its own, and ends by itself.
func twice(ctx context.Context, _ Job, _ *Client) ([]byte, error) {
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		return nil, err
	}
	<-ctx.Done()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("told by %w: %w", context.Cause(ctx), ctx.Err())
}

// stubborn dies when it is told to end.
func stubborn(ctx context.Context, job Job, c *Client) ([]byte, error) {
	_, _ = wait(ctx, job, c) // until it is told to end
	die(syscall.SIGABRT)
	return nil, nil
}

// hang never ends by itself.
func hang(_ context.Context, _ Job, c *Client) ([]byte, error) {
	if err := c.Notify("waiting", nil); err != nil {
		return nil, err
	}
	select {}
}

// endOne begins two units, and dies with one of them ended by the call that the payload names. The next worker returns
// which units are to run alone.
func endOne(_ context.Context, job Job, c *Client) ([]byte, error) {
	open, err := Call[opening](c, "open", Nothing{})
	if err != nil || open.Life > 0 {
		return fmt.Append(nil, job.Limits.Alone), err
	}
	if err := errors.Join(c.Begin("a"), c.Begin("b")); err != nil {
		return nil, err
	}
	_, _ = CallEnding[Nothing](c, string(job.Payload), "a", "a") // may be refused
	die(syscall.SIGABRT)
	return nil, nil
}

// forgetAlone runs two units at once, whatever it was told, and dies.
func forgetAlone(_ context.Context, _ Job, c *Client) ([]byte, error) {
	if err := errors.Join(c.Begin("a"), c.Begin("b")); err != nil {
		return nil, err
	}
	die(syscall.SIGABRT)
	return nil, nil
}

// loud writes more to its standard error than a pipe holds.
func loud(context.Context, Job, *Client) ([]byte, error) {
	for range 100 {
		if _, err := fmt.Fprintln(os.Stderr, string(make([]byte, 10_000))); err != nil {
			return nil, err
		}
	}
	return []byte("done"), nil
}

// leaveBehind leaves a process behind that has its standard error.
func leaveBehind(_ context.Context, _ Job, c *Client) ([]byte, error) {
	cmd := exec.Command("sleep", "600")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return []byte("done"), c.Notify("left", fmt.Append(nil, cmd.Process.Pid))
}

// spawner starts workers of the test binary.
func spawner(stdout, stderr io.Writer) Spawner {
	return Spawner{Stderr: stderr, Command: func() (*exec.Cmd, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), mode+"="+asWorker, "GOTRACEBACK=none", "GORACE=atexit_sleep_ms=0")
		cmd.Stdout = stdout
		return cmd, nil
	}}
}
