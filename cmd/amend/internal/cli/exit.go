package cli

import (
	"errors"
	"os"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/failure"
)

// The exit codes. They are part of the product's contract.
const (
	exitDone        = 0
	exitUsage       = 2   // bad usage, configuration or input file
	exitRowsFailed  = 3   // finished, some rows failed
	exitPermanent   = 42  // cannot work: trying again would fail again
	exitStopped     = 75  // stopped early: the same command continues
	exitInterrupted = 130 // Ctrl-C: what was done is saved
)

// exitCode returns the exit code for an error.
func exitCode(err error) int {
	var (
		stopped *failure.StoppedError
		rows    *failure.RowsError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &stopped):
		if stopped.Signal == os.Interrupt {
			return exitInterrupted
		}
		return exitStopped
	case errors.As(err, &rows):
		return exitRowsFailed
	case app.IsInput(err), errors.Is(err, failure.ErrDiffers):
		return exitUsage
	}
	return exitPermanent
}
