package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"charm.land/log/v2"
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/render"
)

// newEnv returns what use cases need of this process.
func newEnv(cmd *cobra.Command) (app.Env, error) {
	return newEnvWith(cmd, newLogger(cmd.ErrOrStderr(), false))
}

// newEnvWith is newEnv with a logger.
func newEnvWith(cmd *cobra.Command, logger *log.Logger) (app.Env, error) {
	self, err := os.Executable()
	if err != nil {
		return app.Env{}, fmt.Errorf("finding amend's own executable: %w", err)
	}
	return app.Env{
		Log: slog.New(logger), Now: time.Now,
		Stdin: cmd.InOrStdin(), Stderr: cmd.ErrOrStderr(), Version: cmd.Root().Version, Self: []string{self},
	}, nil
}

// program is how amend is called in commands that are to be copied: as the user called it where that was by a path, else by
// its name.
func program() string { return calledAs(os.Args[0]) }

func calledAs(arg0 string) string {
	if strings.ContainsRune(arg0, filepath.Separator) {
		return arg0
	}
	return "amend"
}

// working runs a use case with progress on standard error, and then shows what it returned, also if some of its rows
// failed.
func working(cmd *cobra.Command, o outputFlags, do func(app.Env) (show func() error, err error)) error {
	if err := o.validate(); err != nil {
		return err
	}
	logger := newLogger(cmd.ErrOrStderr(), o.verbose)
	env, err := newEnvWith(cmd, logger)
	if err != nil {
		return err
	}
	shown := render.NewProgress(o.progress, cmd.ErrOrStderr(), logger)
	env.Progress, env.Stderr = shown.Update, shown
	shown.Update(app.Progress{Phase: app.Starting})
	show, err := do(env)
	shown.Close()
	var failed *failure.RowsError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	return errors.Join(show(), err)
}

// newLogger returns a log of lines for a person.
func newLogger(w io.Writer, verbose bool) *log.Logger {
	l := log.NewWithOptions(w, log.Options{Level: log.InfoLevel})
	if verbose {
		l.SetLevel(log.DebugLevel)
	}
	return l
}
