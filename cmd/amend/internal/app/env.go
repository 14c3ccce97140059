// Package app has the use cases of amend as functions of plain settings. The command line calls them. A use case reads its inputs, computes in a worker process or in this one, writes the run directory, and
// returns a result. It prints nothing.
package app

import (
	"context"
	"io"
	"log/slog"
	"os/exec"
	"time"

	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/worker"
)

// Env is what use cases need of the process that they run in.
type Env struct {
	// Log takes messages for the user; it is never nil.
	Log *slog.Logger
	// Progress is told how far the work is, at most a few times a second. It may be nil.
	Progress func(Progress)
	// Now is the clock.
	Now func() time.Time
	// Stdin is read where a setting names "-".
	Stdin io.Reader
	// Stderr takes what worker processes write to their standard error, such as the message of C code that aborts.
	Stderr io.Writer
	// Version is amend's, for manifests.
	Version string
	// Self is the command that starts amend: its path, and arguments that come first. Chat templates are rendered by such
	// a process.
	Self []string
	// InProcess computes in this process and not in a worker: an abort in C then ends the program. Tests set it.
	InProcess bool
}

// The arguments that start amend as a worker or as a template process (see cli).
const (
	WorkerCommand  = "worker"   // does a job
	TemplateWorker = "template" // under WorkerCommand: renders chat templates
)

// today is the date for templates, YYYY-MM-DD.
func (e Env) today() string { return e.Now().UTC().Format(time.DateOnly) }

// options are what opening a model needs. A worker's log goes to its parent.
func (e Env) options(log *slog.Logger, date string) runner.Options {
	return runner.Options{Log: log, TemplateWorker: e.TemplateArgs(), Date: date}
}

// TemplateArgs is the command that starts the process that renders chat templates.
func (e Env) TemplateArgs() []string {
	return append(append([]string{}, e.Self...), WorkerCommand, TemplateWorker)
}

// spawner starts worker processes.
func (e Env) spawner() worker.Spawner {
	s := worker.Spawner{Stderr: e.Stderr, Level: e.level(), Command: func() (*exec.Cmd, error) {
		args := append(append([]string{}, e.Self...), WorkerCommand)
		return exec.Command(args[0], args[1:]...), nil // the context's signal is passed on, not a kill
	}}
	if e.InProcess {
		s.Here = e.handlers()
	}
	return s
}

// level is the least level of the log.
func (e Env) level() slog.Level {
	if e.Log.Enabled(context.Background(), slog.LevelDebug) {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// RenderTemplates is the process that renders chat templates.
func RenderTemplates(in io.Reader, out io.Writer) error { return runner.TemplateWorker(in, out) }
