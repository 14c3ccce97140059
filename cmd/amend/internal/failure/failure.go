// Package failure has the kinds of errors that a user of amend can tell apart. The code that fails chooses the kind. Only
// the command line turns kinds into exit codes, and settings into flags.
package failure

import (
	"errors"
	"fmt"
	"os"
)

// FieldError says that a setting has a value that it cannot have.
type FieldError struct {
	Field string // the setting's name: its key in a config file, and its flag
	Value any    // that it has; nil where it has none
	Want  string // what it must be, or what is wrong
}

// Error gives the setting, its value and what is wrong.
func (e *FieldError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("%s %s", e.Field, e.Want)
	}
	return fmt.Sprintf("%s %v: %s", e.Field, e.Value, e.Want)
}

// InputError is about input: a setting, a file, a model. Trying again does not help.
type InputError struct{ Cause error }

// Error gives the cause.
func (e *InputError) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Cause }

// Input marks an error as one about the user's input; nil stays nil.
func Input(err error) error {
	if err == nil {
		return nil
	}
	return &InputError{err}
}

// Inputf makes such an error.
func Inputf(format string, args ...any) error { return &InputError{fmt.Errorf(format, args...)} }

// StoppedError is the error of work that can be continued: a signal stopped it, or the disk refused a write.
type StoppedError struct {
	Cause  error
	Signal os.Signal // nil where it was not a signal
}

// Error says what stopped it.
func (e *StoppedError) Error() string {
	switch {
	case e.Signal == nil:
		return e.Cause.Error()
	case e.Signal == os.Interrupt:
		return "interrupted: " + e.Cause.Error()
	}
	return "stopped: " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *StoppedError) Unwrap() error { return e.Cause }

// Stopped marks an error after which the same command continues; nil stays nil.
func Stopped(err error) error {
	if err == nil {
		return nil
	}
	return &StoppedError{Cause: err}
}

// RowsError is the error of work that finished although some rows failed.
type RowsError struct {
	Failed, Of int
	What       string // failed: "rows failed or could not be read"
	Detail     string // which, or where they are listed
}

// Error gives the numbers.
func (e *RowsError) Error() string {
	text := fmt.Sprintf("%d of %d %s", e.Failed, e.Of, e.What)
	if e.Detail != "" {
		text += "; " + e.Detail
	}
	return text
}

// ErrDiffers is the error of a check that found a difference. The check's report says which.
var ErrDiffers = errors.New("a check found a difference")
