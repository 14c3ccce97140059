package worker

import (
	"io"
	"strings"
	"sync"
)

// faults passes on what a worker writes to its standard error, and keeps the first line that tells of a fault.
type faults struct {
	to io.Writer

	mu    sync.Mutex
	part  []byte // of a line that is not complete yet
	fault string
}

// mostLine is how much of a line is looked at, in bytes.
const mostLine = 1000

// Write implements io.Writer. What cannot be passed on is lost: with an error the worker would lose its standard error, and
// die of that.
func (f *faults) Write(p []byte) (int, error) {
	f.mu.Lock()
	for _, c := range p {
		switch {
		case c == '\n':
			f.line()
		case len(f.part) < mostLine:
			f.part = append(f.part, c)
		}
	}
	f.mu.Unlock()
	_, _ = f.to.Write(p)
	return len(p), nil
}

// line takes a complete line: of C's asserts and exceptions, or of Go's runtime about signals and panics.
func (f *faults) line() {
	line := strings.ToValidUTF8(string(f.part), "�")
	f.part = f.part[:0]
	for _, sign := range []string{"GGML_ASSERT", "GGML_ABORT", "terminate called", "panic: ", "fatal error: ", "SIGSEGV: ", "SIGABRT: ", "SIGBUS: ", "SIGFPE: ", "SIGILL: "} {
		if f.fault == "" && strings.Contains(line, sign) {
			f.fault = line
		}
	}
}

// text is the line that tells of a fault; empty where there is none.
func (f *faults) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.line() // a process may die inside its last one
	return strings.TrimSpace(f.fault)
}
