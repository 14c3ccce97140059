package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"amend/cmd/amend/internal/supervise"
)

// Flags of the process that computes, which a user does not give.
const (
	supervisedFlag = "supervised"
	atMostFlag     = "at-most"
)

// stage is a run, or a part of one that is a run by itself.
type stage struct {
	flags  []string
	input  []byte // standard input
	stdout io.Writer
}

// readStdin reads the prompts where they come from there.
func readStdin(cmd *cobra.Command, prompts string) ([]byte, error) {
	if prompts != "-" {
		return nil, nil
	}
	input, err := io.ReadAll(cmd.InOrStdin())
	if err != nil {
		return nil, usage(fmt.Errorf("reading the prompts from standard input: %w", err))
	}
	return input, nil
}

// superviseRun is `amend run` as a user starts it: it owns the run's database, and has the work done in a process of its
// own, which may die of an abort in C or for want of memory.
func superviseRun(cmd *cobra.Command, verbose bool, s stage) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding amend's own file to start the engine's process: %w", err)
	}
	args := append([]string{"amend", "run"}, s.flags...)
	stderr, tail := tailOf(cmd.ErrOrStderr())
	log := newLogger(cmd.ErrOrStderr(), verbose)
	e := supervise.Engine{Tail: tail.text, Warn: func(msg string, keyvals ...any) { log.Warn(msg, keyvals...) }}
	e.Command = func(atMost int) *exec.Cmd {
		tail.reset()
		return &exec.Cmd{
			Path: self, Args: append(args, "--"+supervisedFlag, fmt.Sprintf("--%s=%d", atMostFlag, atMost)),
			Stdin: bytes.NewReader(s.input), Stdout: s.stdout, Stderr: stderr,
		}
	}
	code, err := supervise.Supervise(cmd.Context(), e)
	if err == nil && code != exitDone {
		err = &exitError{code: code} // it has said why
	}
	return err
}

// givenFlags are the flags of a command line as they were given.
func givenFlags(cmd *cobra.Command) []string {
	var out []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if list, ok := f.Value.(pflag.SliceValue); ok {
			for _, v := range list.GetSlice() {
				out = append(out, "--"+f.Name+"="+v)
			}
			return
		}
		out = append(out, "--"+f.Name+"="+f.Value.String())
	})
	return out
}

// splitFlag takes apart what givenFlags returns.
func splitFlag(flag string) (name, value string, ok bool) {
	return strings.Cut(strings.TrimPrefix(flag, "--"), "=")
}

// runSupervised is the process that computes.
func runSupervised(cmd *cobra.Command, o runOptions) error {
	const toParent, fromParent = 3, 4 // as supervise.Engine says
	out, in := os.NewFile(toParent, "to the supervisor"), os.NewFile(fromParent, "from the supervisor")
	if out == nil || in == nil {
		return usage(errors.New("--" + supervisedFlag + " is for processes that amend starts itself"))
	}
	keepFromChildren(out, in)
	store := supervise.Connect(in, out, func() { os.Exit(exitStopped) })
	err := runJob(cmd, o, store)
	code := exitCode(stoppedBy(err, signalIn(cmd.Context())))
	return errors.Join(err, store.Bye(code))
}

// tail keeps the line of what was written that tells of a fault, the first of its kind.
type tail struct {
	mu    sync.Mutex
	part  []byte // of a line that is not complete yet
	fault string
}

// tailOf returns a writer to w and what tells of a fault there. A terminal is given to the child as it is, so that it
// knows it for one; then nothing is known.
func tailOf(w io.Writer) (io.Writer, *tail) {
	t := &tail{}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f, t
	}
	return io.MultiWriter(w, t), t
}

// mostLine is how much of a line is looked at.
const mostLine = 1000

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range p {
		switch {
		case c == '\n':
			t.line()
		case len(t.part) < mostLine:
			t.part = append(t.part, c)
		}
	}
	return len(p), nil
}

// line takes a complete line: of C's asserts and exceptions, or of Go's runtime about signals and panics.
func (t *tail) line() {
	line := strings.ToValidUTF8(string(t.part), "�")
	t.part = t.part[:0]
	for _, sign := range []string{"GGML_ASSERT", "GGML_ABORT", "terminate called", "panic: ", "fatal error: ", "SIGSEGV: ", "SIGABRT: ", "SIGBUS: ", "SIGFPE: ", "SIGILL: "} {
		if t.fault == "" && strings.Contains(line, sign) {
			t.fault = line
		}
	}
}

func (t *tail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.part, t.fault = nil, ""
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.fault
}
