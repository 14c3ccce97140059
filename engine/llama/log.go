package llama

// #include "shim.h"
import "C"

import (
	"context"
	"log/slog"
	"runtime/cgo"
	"slices"
	"strings"
	"sync"
)

// keptErrors is how many of llama.cpp's last error lines are kept for errors.
const keptErrors = 16

// logSink takes what llama.cpp and ggml log, from any thread. Error lines are
// kept, so that a Go error can quote them; the rest goes to the logger, if any.
type logSink struct {
	mu     sync.Mutex
	logger *slog.Logger
	line   strings.Builder // the line that waits for its end
	level  C.int           // of that line
	errors []string        // the last error lines, oldest first
	count  uint64          // error lines ever
	aborts int             // decodes that are being stopped on request
}

// expectAbort makes the complaints of a decode that was asked to stop debug
// lines: to whoever stopped it they are no errors.
func (s *logSink) expectAbort(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aborts += n
}

// SetLogger sends the log of llama.cpp and ggml to l: errors and warnings at
// their own level, everything else as debug. Before, and after SetLogger(nil),
// nothing is written anywhere. l's level is read now: lines that it would drop
// do not leave C. The log is one per process, as it is in llama.cpp
// (llama_log_set). It may be called at any time, from any goroutine.
func SetLogger(l *slog.Logger) {
	s := &process.sink
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logger = l
	level := C.GGML_LOG_LEVEL_WARN
	if l != nil && l.Enabled(context.Background(), slog.LevelDebug) {
		level = C.GGML_LOG_LEVEL_DEBUG
	}
	C.amend_log_level(C.int(level))
}

// install makes C log into s for the rest of the process.
func (s *logSink) install() {
	C.amend_log_install(C.uintptr_t(cgo.NewHandle(s)))
}

//export amendLog
func amendLog(sink C.uintptr_t, level C.int, text *C.char) {
	cgo.Handle(sink).Value().(*logSink).write(level, C.GoString(text))
}

// write takes one message: the start of a line, a line, several, or the
// continuation of one (GGML_LOG_LEVEL_CONT).
func (s *logSink) write(level C.int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if level != C.GGML_LOG_LEVEL_CONT {
		s.flush()
		s.level = level
	}
	for {
		line, rest, ended := strings.Cut(text, "\n")
		s.line.WriteString(line)
		if !ended {
			return
		}
		s.flush()
		text = rest
	}
}

// controlLooking is part of a warning about the types of tokens in a file, which llama.cpp puts right itself: nothing is to
// be done about it.
const controlLooking = "control-looking token"

// flush ends the waiting line. The caller holds mu.
func (s *logSink) flush() {
	line := strings.TrimSpace(strings.ToValidUTF8(s.line.String(), "\uFFFD"))
	s.line.Reset()
	if line == "" {
		return
	}
	if s.level == C.GGML_LOG_LEVEL_ERROR {
		s.count++
		s.errors = append(s.errors, line)
		s.errors = s.errors[max(0, len(s.errors)-keptErrors):]
	}
	if s.logger == nil {
		return
	}
	switch {
	case s.aborts > 0 || strings.Contains(line, controlLooking):
		s.logger.Debug(line, "from", "llama.cpp")
	case s.level == C.GGML_LOG_LEVEL_ERROR:
		s.logger.Error(line, "from", "llama.cpp")
	case s.level == C.GGML_LOG_LEVEL_WARN:
		s.logger.Warn(line, "from", "llama.cpp")
	default:
		s.logger.Debug(line, "from", "llama.cpp")
	}
}

// mark is the place in the error lines to hand to errorsSince.
func (s *logSink) mark() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// errorsSince returns the error lines logged after mark. Lines of another call
// that failed at the same time may be among them.
func (s *logSink) errorsSince(mark uint64) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(s.count-mark, uint64(len(s.errors)))
	return slices.Clone(s.errors[len(s.errors)-int(n):])
}

// leak reports a value that was lost without Close.
func (s *logSink) leak(o *opened) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logger != nil {
		s.logger.Error("llama: leaked without Close", "what", o.what, "opened", o.place)
	}
}
